import fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { submit } from "../../src/spool/submit.js";
import { openStore } from "../../src/store/open-store.js";
import { siteOf } from "../../test/rig/site.js";
import { BenchProject } from "./bench-project.js";
import { CLOCK_JOB, now, printed } from "./clock-job.js";
import { atMost, median, quantile, type Row, row } from "./measure.js";
import type { Setup } from "./setup.js";

/** Number of jobs. */
const DROPS = 30;
/** Poll interval, in s. The default on a network file system is 3 s. */
const POLL = 1;
/** Shortest and longest pause between two drops, in ms. Each drop comes at another moment of the interval. */
const PAUSE = [200, 1200] as const;

/** Measures the time from drop to start without events. With `store = network`, fjord polls the directory. */
export async function polled({ scratch, cores, tell }: Setup): Promise<Row[]> {
  const project = new BenchProject(scratch, "polled");
  const { layout } = project;
  fs.writeFileSync(layout.settings, `[fjord]\nstore = network\npoll = ${POLL} s\nflush = no\n`);
  const store = openStore(layout.root, "network");
  await project.hire(cores);
  const dispatcher = project.stay();
  const took: number[] = [];
  for (let n = -1; n < DROPS; n++) {
    if (n % 10 === 0) tell(`polled, drop ${n + 1} of ${DROPS}`);
    const dropped = now();
    await submit(siteOf(store, layout), `job${n}.ini`, CLOCK_JOB, false);
    await project.untilDone(n + 2);
    const started = printed(fs.readFileSync(layout.attemptLog(`job${n}`, 1), "utf8"));
    if (n >= 0) took.push((started - dropped) / 1000); // the first job waits for the workers
    await delay(PAUSE[0] + Math.random() * (PAUSE[1] - PAUSE[0]));
  }
  await dispatcher.stop();
  await project.fire();
  const mid = median(took);
  const tail = quantile(took, 0.99);
  return [
    row(`drop to start, polled every ${POLL} s: median of ${DROPS}`, mid, "s", 2, atMost(mid, POLL, "s")),
    row(`drop to start, polled every ${POLL} s: 99th percentile`, tail, "s", 2, atMost(tail, POLL, "s")),
  ];
}
