import fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { openStore } from "../../src/spool/open-store.js";
import { submit } from "../../src/spool/submit.js";
import type { Setup } from "./bench.js";
import { BenchProject } from "./bench-project.js";
import { CLOCK_JOB, now, printed } from "./clock-job.js";
import { atMost, median, quantile, type Row, row } from "./measure.js";

const DROPS = 30;
/** Between two looks of whoever polls, s; the default on a network is 3. */
const POLL = 1;
/** Pauses between two drops, ms: at another moment of the interval each time. */
const PAUSE = [200, 1200] as const;

/** Drop to start where no event tells of anything: the directory is taken for a mount, which is polled. */
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
    await submit(store, layout, `job${n}.ini`, CLOCK_JOB, false);
    await project.untilDone(n + 2);
    const started = printed(fs.readFileSync(layout.attemptLog(`job${n}`, 1), "utf8"));
    if (n >= 0) took.push((started - dropped) / 1000); // the first one finds nobody on duty yet
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
