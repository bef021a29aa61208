import path from "node:path";
import type { Diagnosis } from "../../compose/doctor.js";
import type { Finding } from "../../doctor/finding.js";
import { FjordError } from "../../job/error.js";
import { locateProject } from "../../project/locate.js";
import { PACKAGE_ROOT } from "../../project/package-root.js";
import { paint } from "../colour.js";
import { EXIT } from "../command.js";
import { endSignal } from "../main.js";
import { type Common, count, JSON_OPTION, printJson, type Verb } from "../verb.js";
import { version } from "../version.js";

interface Args extends Common {
  readonly dir: string | undefined;
  readonly from: string | undefined;
  readonly peer: boolean;
  readonly json: boolean;
}

const FJORD = path.join(PACKAGE_ROOT, "bin", "fjord.js");

/** `fjord doctor`: tests a directory. 0 fjord can work there, 1 it cannot, or not safely. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("dir", { type: "string", describe: "the directory to test [the project's]" })
      .option("from", {
        type: "string",
        requiresArg: true,
        describe: "run the second process on this host, over ssh; fjord must be installed there",
      })
      .option("peer", { type: "boolean", default: false, hidden: true })
      .option("json", JSON_OPTION)
      .epilogue("Ends with 0 when fjord can work there, warnings or not, and with 1 when something is bad.")
      .example("fjord doctor", "the default project's directory, from two processes of this host")
      .example("fjord doctor /shared/queue --from node8", "a directory that two hosts are to share"),

  async run(args) {
    if (args.peer) return beSecond(args.dir ?? "");
    if (args.from === "" || args.from?.startsWith("-")) {
      throw new FjordError("bad-usage", "--from takes the name of a host.", "fjord doctor --from node8");
    }
    const stop = endSignal();
    const { diagnose } = await import("../../compose/doctor.js");
    const directory = args.dir === undefined ? undefined : path.resolve(args.dir);
    try {
      const diagnosis = await diagnose(directory ?? locateProject(args.project, process.env, process.cwd()), {
        ...(args.from !== undefined && { from: args.from }),
        version: version(),
        program: [process.execPath, FJORD],
        signal: stop,
      });
      if (args.json) printJson(diagnosis);
      else process.stdout.write(tell(diagnosis));
      return diagnosis.findings.some(({ verdict }) => verdict === "bad") ? EXIT.someFailed : EXIT.ok;
    } catch (error) {
      if (stop.aborted) return EXIT.interrupted;
      throw error;
    }
  },
};

const COLOURS = { ok: "green", warning: "yellow", bad: "red" } as const;

function tell({ directory, hosts, findings }: Diagnosis): string {
  const where = [...new Set(hosts)].join(" and ");
  const width = Math.max(...findings.map(({ test }) => test.length));
  const lines = findings.map(
    ({ test, verdict, found, means }) =>
      `${paint(verdict, COLOURS[verdict])}${" ".repeat(7 - verdict.length)}  ${test.padEnd(width)}  ${found}; ${means}.`,
  );
  return [
    `${directory}, tested ${hosts.length === 1 ? "on" : "by two processes on"} ${where}`,
    "",
    ...lines,
    "",
    summary(findings),
    "",
  ].join("\n");
}

function summary(findings: readonly Finding[]): string {
  const bad = findings.filter(({ verdict }) => verdict === "bad").length;
  const warnings = findings.filter(({ verdict }) => verdict === "warning").length;
  if (bad > 0) return `${count(bad, "thing")} bad: fjord cannot work here, or not safely.`;
  if (warnings > 0) return `fjord can work here; ${count(warnings, "warning")}.`;
  return "fjord can work here.";
}

/** The second process: does what the first one asks, and goes with it. Whoever goes last removes what is left. */
async function beSecond(scratch: string): Promise<number> {
  const [{ Here }, { serve }, { removeScratch }] = await Promise.all([
    import("../../doctor/here.js"),
    import("../../doctor/serve.js"),
    import("../../doctor/scratch.js"),
  ]);
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined); // the first one decides
  process.once("exit", () => {
    try {
      removeScratch(scratch);
    } catch {
      // only the link was lost: the first one is still at work there, and removes it
    }
  });
  await serve(new Here(scratch, version()), process.stdin, process.stdout);
  return EXIT.ok;
}
