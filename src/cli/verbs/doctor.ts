import path from "node:path";
import type { Diagnosis } from "../../doctor/diagnose.js";
import type { Finding } from "../../doctor/finding.js";
import { FjordError } from "../../job/error.js";
import { currentDirectory, fromHere } from "../../project/current-directory.js";
import { locateProject } from "../../project/locate.js";
import { PACKAGE_ROOT } from "../../project/package-root.js";
import { paint } from "../colour.js";
import { EXIT, endSignal, printJson } from "../main.js";
import { flag, JSON_OPTION, text } from "../option.js";
import type { Common, Verb } from "../verb.js";
import { version } from "../version.js";
import { count } from "../wording.js";

interface Args extends Common {
  readonly dir: string | undefined;
  readonly from: string | undefined;
  readonly peer: boolean;
  readonly json: boolean;
}

const FJORD = path.join(PACKAGE_ROOT, "bin", "fjord.js");

/** `fjord doctor`: tests a directory. The exit code is 1 if fjord cannot work there safely. */
export const verb: Verb<Args> = {
  words: { dir: { type: "string", describe: "the directory to test [the project's]" } },
  options: {
    from: text("run the second process on this host, over ssh; fjord must be installed there"),
    peer: { ...flag("be the second process"), hidden: true },
    json: JSON_OPTION,
  },
  examples: [
    ["fjord doctor", "the default project's directory, from two processes of this host"],
    ["fjord doctor /shared/queue --from node8", "a directory that two hosts will share"],
  ],
  notes: "Exits with 0 if fjord can work there, even with warnings, and with 1 if something is bad.",

  async run(args) {
    if (args.peer) return beSecond(args.dir ?? "");
    if (args.from === "" || args.from?.startsWith("-")) {
      throw new FjordError("bad-usage", "--from takes the name of a host.", "fjord doctor --from node8");
    }
    const stop = endSignal();
    const { diagnose } = await import("../../doctor/diagnose.js");
    const directory = args.dir === undefined ? undefined : fromHere(args.dir);
    try {
      const diagnosis = await diagnose(
        directory ?? locateProject(args.project, process.env, currentDirectory),
        {
          ...(args.from !== undefined && { from: args.from }),
          version: version(),
          program: [process.execPath, FJORD],
          signal: stop,
        },
      );
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

/**
 * Runs the second process, which does what the first process asks, and ends when the first one ends. The process that ends last
 * removes the files.
 */
async function beSecond(scratch: string): Promise<number> {
  const [{ LocalPeer }, { servePeer }, { removeScratchDirectory }] = await Promise.all([
    import("../../doctor/local-peer.js"),
    import("../../doctor/serve-peer.js"),
    import("../../doctor/scratch-directory.js"),
  ]);
  // The first process decides when both end.
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  process.once("exit", () => {
    try {
      removeScratchDirectory(scratch);
    } catch {
      // only the connection was lost, and the first process still uses the files and removes them later
    }
  });
  await servePeer(new LocalPeer(scratch, version()), process.stdin, process.stdout);
  return EXIT.ok;
}
