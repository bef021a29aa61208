import { execa } from "execa";
import type { CommandName } from "../../test/rig/command.js";
import type { Setup } from "./bench.js";
import { BenchProject } from "./bench-project.js";
import { median, type Row, row } from "./measure.js";

const TIMES = 10;
const COMMANDS: readonly [CommandName, ...string[]][] = [
  ["recruiter", "list"],
  ["dispatcher", "--status-only"],
  ["worker", "--help"],
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
    note("node -e 0", performance.now() - begin);
    for (const [name, ...args] of COMMANDS) {
      note([name, ...args].join(" "), (await project.run(name, ...args)).seconds * 1000);
    }
  }
  return [...took].map(([what, ms]) => row(`start to end: ${what}`, median(ms), "ms", 0));
}
