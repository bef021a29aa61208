import { setTimeout as delay } from "node:timers/promises";
import type { Setup } from "./bench.js";
import { BenchProject } from "./bench-project.js";
import { atMost, type Row, row } from "./measure.js";
import { cpuOf, peakMemoryOf } from "./proc.js";

const WAITING = 100_000;
/** Jobs that each worker has run when its memory is read. */
const EACH = 5000;
const DISPATCHER_LIMIT = 150;
const WORKER_LIMIT = 80;
const MB = 1e6;

/** Whether a process has not computed much for a second: it has read the whole queue. */
async function untilQuiet(pid: number): Promise<void> {
  for (let before = cpuOf(pid).own; ; ) {
    await delay(1000);
    const after = cpuOf(pid).own;
    if (after - before < 0.2) return;
    before = after;
  }
}

/** Peak memory with a long queue: the dispatcher has read it all, then the workers have run a part. */
export async function memory({ scratch, cores, tell }: Setup): Promise<Row[]> {
  const project = new BenchProject(scratch, "memory");
  tell(`memory, making ${WAITING} jobs`);
  project.drop(WAITING, "/bin/true");
  tell("memory, the dispatcher reads them");
  const dispatcher = project.stay();
  await untilQuiet(dispatcher.pid);
  const intake = cpuOf(dispatcher.pid).own;
  const ofIntake = peakMemoryOf(dispatcher.pid) / MB;
  tell(`memory, ${EACH * cores} jobs run`);
  const workers = await project.hire(cores);
  await project.untilDone(EACH * cores);
  const ofDispatcher = peakMemoryOf(dispatcher.pid) / MB;
  const ofWorkers = Math.max(...workers.map(({ worker }) => peakMemoryOf(worker) / MB));
  await dispatcher.stop();
  await project.fire();
  const limit = atMost(ofDispatcher, DISPATCHER_LIMIT, "MB");
  return [
    row(`dispatcher, peak with ${WAITING} waiting, after the intake`, ofIntake, "MB", 0),
    row(`dispatcher, peak when ${EACH * cores} of them were done`, ofDispatcher, "MB", 0, limit),
    row(
      `worker, peak after about ${EACH} jobs, the largest`,
      ofWorkers,
      "MB",
      0,
      atMost(ofWorkers, WORKER_LIMIT, "MB"),
    ),
    row(`CPU of the dispatcher to read ${WAITING} job files`, intake, "s", 1),
  ];
}
