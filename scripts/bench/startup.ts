import { execa } from "execa";
import type { CommandName } from "../../test/rig/command.js";
import type { Setup } from "./bench.js";
import { BenchProject } from "./bench-project.js";
import { atMost, median, type Row, row } from "./measure.js";

const TIMES = 21;
const EMPTY = "node -e 0";
/** How many times an empty Node they may take. */
const LIMIT = 2;
const LIMITED = ["fjord --version", "fjord status"];

const COMMANDS: readonly [CommandName, ...string[]][] = [
  ["recruiter", "list"],
  ["dispatcher", "--status-only"],
  ["worker", "--help"],
  ["fjord", "--version"],
  ["fjord", "status"],
];

/** What a command takes that has next to nothing to do, against a Node that has nothing to do. */
export async function startup({ scratch, tell }: Setup): Promise<Row[]> {
  tell("start-up");
  const project = new BenchProject(scratch, "startup");
  const took = new Map<string, number[]>();
  const note = (what: string, ms: number) => took.set(what, [...(took.get(what) ?? []), ms]);
  for (let n = 0; n < TIMES; n++) {
    const begin = performance.now();
    await execa(process.execPath, ["-e", "0"]);
    note(EMPTY, performance.now() - begin);
    for (const [name, ...args] of COMMANDS) {
      note([name, ...args].join(" "), (await project.run(name, ...args)).seconds * 1000);
    }
  }
  const ratio = (what: string) =>
    median((took.get(what) ?? []).map((ms, n) => ms / (took.get(EMPTY)?.[n] ?? Number.NaN)));
  return [
    ...[...took].map(([what, ms]) => row(`start to end: ${what}`, median(ms), "ms", 0)),
    ...LIMITED.map((what) =>
      row(`${what} : ${EMPTY}, within a round`, ratio(what), "", 2, atMost(ratio(what), LIMIT, "")),
    ),
  ];
}
