import os from "node:os";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { table } from "../../src/cli/table.js";
import { durability } from "./durability.js";
import { hire } from "./hire.js";
import { idle } from "./idle.js";
import { latency } from "./latency.js";
import { machine } from "./machine.js";
import { makespan } from "./makespan.js";
import type { Row } from "./measure.js";
import { memory } from "./memory.js";
import { scale } from "./scale.js";
import { Scratch } from "./scratch.js";
import { speed } from "./speed.js";
import { startup } from "./startup.js";

/** What every measurement gets. */
export interface Setup {
  readonly scratch: Scratch;
  readonly rounds: number;
  readonly jobs: number;
  readonly cores: number;
  /** Says what is being done now. */
  readonly tell: (what: string) => void;
}

const MEASUREMENTS = { speed, durability, latency, hire, startup, makespan, memory, scale, idle };
type Name = keyof typeof MEASUREMENTS;
const NAMES = Object.keys(MEASUREMENTS) as Name[];

const args = await yargs(hideBin(process.argv))
  .scriptName("npm run bench --")
  .usage("$0\n\nMeasures fjord beside other queues and runners on this machine.")
  .option("rounds", { type: "number", default: 3, describe: "rounds; medians are shown" })
  .option("jobs", { type: "number", default: 10_000, describe: "empty jobs in each round of speed" })
  .option("only", { choices: NAMES, array: true, default: NAMES, describe: "measure these alone" })
  .option("dir", { type: "string", default: os.tmpdir(), describe: "where to make the temporary directory" })
  .option("json", { type: "boolean", default: false, describe: "print JSON" })
  .strict()
  .parseAsync();

const cores = os.availableParallelism();
const scratch = new Scratch(args.dir);
const tell = (what: string) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what} …`);
};
const facts = await machine(scratch.root, cores);
const rows: (Row & { name: Name })[] = [];
for (const name of NAMES) {
  if (!args.only.includes(name)) continue;
  const setup = { scratch, rounds: args.rounds, jobs: args.jobs, cores, tell };
  for (const row of await MEASUREMENTS[name](setup)) rows.push({ name, ...row });
}
if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
if (args.json) {
  process.stdout.write(`${JSON.stringify({ machine: Object.fromEntries(facts), rows }, undefined, 2)}\n`);
} else {
  process.stdout.write(`${facts.map(([fact, value]) => `${fact}: ${value}\n`).join("")}\n`);
  process.stdout.write(
    table(
      ["WHAT", "MEASURED", "REQUIRED", ""],
      rows.map(({ measure, value, required }) => [
        measure,
        value,
        required?.text ?? "",
        required === undefined ? "" : required.ok ? "ok" : "MISSED",
      ]),
    ),
  );
}
