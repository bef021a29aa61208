import { setTimeout as delay } from "node:timers/promises";
import { BenchProject } from "./bench-project.js";
import { atMost, type Row, row } from "./measure.js";
import { cpuOf } from "./proc.js";
import type { Setup } from "./setup.js";

const SECONDS = 60;
/** Highest CPU share, in percent. */
const LIMIT = 0.3;
/** Pause before the measurement, in ms. V8 collects garbage for some seconds after work. */
const PAUSE = 10_000;

/** Measures the CPU of idle processes after some work. The kernel counts in steps of 10 ms, or 0.02 % of a minute. */
export async function idle({ scratch, cores, tell }: Setup): Promise<Row[]> {
  tell(`idle, ${SECONDS} s`);
  const project = new BenchProject(scratch, "idle");
  const workers = await project.hire(cores);
  const dispatcher = project.stay();
  project.drop(50, "/bin/true");
  await project.untilDone(50);
  await delay(PAUSE);
  const used = () => ({
    dispatcher: cpuOf(dispatcher.pid).own,
    workers: workers.map(({ worker, shell }) => cpuOf(worker).own + cpuOf(shell).own),
  });
  const begin = performance.now();
  const before = used();
  await delay(SECONDS * 1000);
  const after = used();
  const percent = (seconds: number) => (seconds / ((performance.now() - begin) / 1000)) * 100;
  const ofWorkers = after.workers.map((cpu, i) => percent(cpu - (before.workers[i] ?? 0)));
  const ofWorker = Math.max(...ofWorkers);
  const ofDispatcher = percent(after.dispatcher - before.dispatcher);
  await dispatcher.stop();
  await project.fire();
  return [
    row(
      `an idle worker and its shell, the busiest of ${cores}`,
      ofWorker,
      "% CPU",
      2,
      atMost(ofWorker, LIMIT, "%"),
    ),
    row("an idle dispatcher (--stay)", ofDispatcher, "% CPU", 2, atMost(ofDispatcher, LIMIT, "%")),
  ];
}
