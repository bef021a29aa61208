import { setTimeout as delay } from "node:timers/promises";
import type { Setup } from "./bench.js";
import { BenchProject } from "./bench-project.js";
import { atMost, type Row, row } from "./measure.js";
import { cpuOf } from "./proc.js";

const SECONDS = 60;
const LIMIT = 0.3;
/** V8 tidies up for some seconds after work, ms. */
const PAUSE = 10_000;

/** CPU of who has nothing to do, after some work, by the kernel's own count (10 ms = 0.02 % over a minute). */
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
