import os from "node:os";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { table } from "../../src/cli/table.js";
import { durability } from "./durability.js";
import { hire } from "./hire.js";
import { idle } from "./idle.js";
import { kills } from "./kills.js";
import { ladder } from "./ladder.js";
import { latency } from "./latency.js";
import { load, machine } from "./machine.js";
import { makespan } from "./makespan.js";
import type { Required, Row } from "./measure.js";
import { memory } from "./memory.js";
import { peers as peersOf } from "./peers/peers.js";
import { polled } from "./polled.js";
import { scale } from "./scale.js";
import { Scratch } from "./scratch.js";
import type { Setup } from "./setup.js";
import { speed } from "./speed.js";
import { type CommandCost, startup } from "./startup.js";

const MEASUREMENTS = {
  speed,
  durability,
  latency,
  polled,
  hire,
  makespan,
  memory,
  scale,
  kills,
  idle,
  // `ladder` runs last, because a file system is slower after it has held a million files.
  ladder,
};
type Name = keyof typeof MEASUREMENTS;
/** Measurement with a table of its own. */
const STARTUP = "startup";
const NAMES = [...(Object.keys(MEASUREMENTS) as Name[]), STARTUP] as const;

const args = await yargs(hideBin(process.argv))
  .scriptName("npm run bench --")
  .usage("$0\n\nMeasures fjord and other queues and runners on this machine.")
  .option("rounds", { type: "number", default: 3, describe: "number of rounds; the bench shows medians" })
  .option("jobs", {
    type: "number",
    default: 10_000,
    describe: "number of empty jobs in each round of speed",
  })
  .option("only", { choices: NAMES, array: true, default: NAMES, describe: "run only these measurements" })
  .option("peers", { type: "string", describe: "directory in which npm install bullmq ioredis was run" })
  .option("dir", { type: "string", default: os.tmpdir(), describe: "directory for the temporary directory" })
  .option("json", { type: "boolean", default: false, describe: "print JSON" })
  .strict()
  .parseAsync();

const cores = os.availableParallelism();
const scratch = new Scratch(args.dir);
const tell = (what: string) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what} …`);
};
const peers = await Promise.all(
  peersOf(args.peers).map(async (peer) => ({ peer, found: await peer.version() })),
);
const facts = await machine(scratch.root, cores, peers);
const setup: Setup = { scratch, rounds: args.rounds, jobs: args.jobs, cores, peers, tell };
const rows: (Row & { name: string })[] = [];

/** Runs one measurement. A failure becomes a row of the table, and the other measurements still run. */
async function attempt<T>(
  name: Name | typeof STARTUP,
  measure: (setup: Setup) => Promise<T[]>,
): Promise<T[]> {
  if (!args.only.includes(name)) return [];
  try {
    return await measure(setup);
  } catch (error) {
    process.exitCode = 1;
    rows.push({ name, measure: `${name}: ${String(error)}`, value: "failed", number: undefined });
    return [];
  }
}

const commands: CommandCost[] = await attempt(STARTUP, startup);
for (const name of Object.keys(MEASUREMENTS) as Name[]) {
  for (const row of await attempt(name, MEASUREMENTS[name])) rows.push({ name, ...row });
}
facts.push(["load after", load()]);
if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");

function mark(required: Required | undefined): [string, string] {
  return required === undefined ? ["", ""] : [required.text, required.ok ? "ok" : "MISSED"];
}

if (args.json) {
  const all = { machine: Object.fromEntries(facts), rows, commands };
  process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
} else {
  process.stdout.write(`${facts.map(([fact, value]) => `${fact}: ${value}\n`).join("")}\n`);
  if (rows.length > 0) {
    const lines = rows.map(({ measure, value, required }) => [measure, value, ...mark(required)]);
    process.stdout.write(table(["WHAT", "MEASURED", "REQUIRED", ""], lines));
  }
  if (commands.length > 0) {
    const lines = commands.map((cost) => [
      cost.command,
      `${cost.ms.toFixed(0)} ms`,
      cost.timeRatio.toFixed(2),
      `${cost.megabytes.toFixed(0)} MB`,
      cost.memoryRatio.toFixed(2),
      ...mark(cost.required),
    ]);
    const head = ["COMMAND", "TIME", ": node -e 0", "PEAK MEMORY", ": node -e 0", "REQUIRED", ""];
    process.stdout.write(`\n${table(head, lines)}`);
  }
}
