import fs from "node:fs";
import path from "node:path";
import { submit } from "../../src/spool/submit.js";
import { openStore } from "../../src/store/open-store.js";
import { siteOf } from "../../test/rig/site.js";
import { BenchProject } from "./bench-project.js";
import { median, type Row, row } from "./measure.js";
import type { Scratch } from "./scratch.js";
import type { Setup } from "./setup.js";

/** Number of jobs. A disk may take milliseconds for each, so there are fewer than in `speed`. */
const JOBS = 2000;
const TEXT = "[control]\nexecutable = /bin/true\n";

async function measure(scratch: Scratch, flush: "yes" | "no", jobs: number, slots: number) {
  const project = new BenchProject(scratch, `durability-${flush}`);
  const { layout } = project;
  fs.writeFileSync(layout.settings, `[fjord]\nflush = ${flush}\n`);
  const store = openStore(layout.root, "local");
  const begin = performance.now();
  for (let n = 0; n < jobs; n++)
    await submit(siteOf(store, layout), `j${String(n).padStart(6, "0")}.ini`, TEXT, flush === "yes");
  const submitted = jobs / ((performance.now() - begin) / 1000);
  await project.hire(slots);
  const { seconds } = await project.dispatch();
  await project.fire();
  return { submitted, done: jobs / seconds };
}

/** Median time to append a line and flush it to the disk, in ms. */
function flushTime(dir: string): number {
  const fd = fs.openSync(path.join(dir, "line"), "a");
  const took: number[] = [];
  for (let n = 0; n < 200; n++) {
    fs.writeSync(fd, `${"x".repeat(300)}\n`);
    const begin = performance.now();
    fs.fsyncSync(fd);
    took.push(performance.now() - begin);
  }
  fs.closeSync(fd);
  return median(took);
}

/** Measures the cost of `flush = yes`, which flushes submissions and outcomes to the disk before they count. */
export async function durability({ scratch, jobs, rounds, cores, tell }: Setup): Promise<Row[]> {
  const count = Math.min(jobs, JOBS);
  const took = { yes: [] as Round[], no: [] as Round[] };
  const flushes: number[] = [];
  for (let n = 1; n <= rounds; n++) {
    for (const flush of ["no", "yes"] as const) {
      tell(`durability, round ${n} of ${rounds}: flush = ${flush}`);
      took[flush].push(await measure(scratch, flush, count, cores));
    }
    flushes.push(flushTime(scratch.make("flush")));
  }
  const rows: Row[] = [row("fsync of one line, without fjord", median(flushes), "ms", 2)];
  for (const [what, name] of [
    ["submitted", "submit"],
    ["done", `${cores} workers, empty jobs`],
  ] as const) {
    const rate = (flush: "yes" | "no") => took[flush].map((round) => round[what]);
    const ratios = rate("yes").map((yes, index) => yes / (rate("no")[index] ?? Number.NaN));
    rows.push(
      row(`${name}, flush = no`, median(rate("no")), "jobs/s", 0),
      row(`${name}, flush = yes`, median(rate("yes")), "jobs/s", 0),
      row(`${name}, yes : no, within a round`, median(ratios), "", 2),
    );
  }
  return rows;
}

interface Round {
  readonly submitted: number;
  readonly done: number;
}
