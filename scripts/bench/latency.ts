import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import type { Setup } from "./bench.js";
import { BenchProject } from "./bench-project.js";
import { CLOCK_JOB as JOB, now, printed } from "./clock-job.js";
import { atMost, median, quantile, type Row, row } from "./measure.js";

const DROPS = 60;
/** Pauses between two drops, ms: long enough for everybody to be idle again, and never in step with a poll. */
const PAUSE = [150, 350] as const;
const MEDIAN_LIMIT = 5;
const TAIL_LIMIT = 20;

/**
 * From the drop until the job's process is started. The job is `date +%s%N`, whose answer is compared with the clock at the drop;
 * what a `date` takes until it looks, in the same round, is taken off. Written by this process: the drop is when the
 * file has been closed, or renamed. `cp`: the clock is read by `date` before `cp` is started, so cp's start-up counts, too.
 */
export async function latency({ scratch, cores, tell }: Setup): Promise<Row[]> {
  const project = new BenchProject(scratch, "latency");
  const { layout } = project;
  const source = path.join(layout.root, "source.ini");
  fs.writeFileSync(source, JOB);
  await project.hire(cores);
  const dispatcher = project.stay();
  const ways = {
    async cp(file: string) {
      const script = 'date +%s%N; exec cp "$1" "$2"';
      const { stdout } = await execa("/bin/sh", ["-c", script, "sh", source, layout.queued(file)]);
      return printed(stdout);
    },
    async write(file: string) {
      fs.writeFileSync(layout.queued(file), JOB);
      return now();
    },
    async rename(file: string) {
      const temporary = layout.queued(`.${file}.tmp`);
      fs.writeFileSync(temporary, JOB);
      fs.renameSync(temporary, layout.queued(file));
      return now();
    },
  };
  const took = { cp: [] as number[], write: [] as number[], rename: [] as number[], date: [] as number[] };
  let ended = 0;
  for (let n = -2; n < DROPS; n++) {
    if (n % 20 === 0) tell(`latency, drop ${n + 1} of ${DROPS}`);
    for (const way of ["cp", "write", "rename"] as const) {
      const job = `${way}${n}`;
      const dropped = await ways[way](`${job}.ini`);
      await project.untilDone(++ended);
      const started = printed(fs.readFileSync(layout.attemptLog(job, 1), "utf8"));
      if (n >= 0) took[way].push(started - dropped); // the first ones find nobody idle yet
      await delay(PAUSE[0] + Math.random() * (PAUSE[1] - PAUSE[0]));
    }
    const { stdout } = await execa("/bin/sh", ["-c", "date +%s%N; date +%s%N"]);
    const [one = Number.NaN, other = Number.NaN] = stdout.split("\n").map(printed);
    took.date.push(other - one);
  }
  await dispatcher.stop();
  await project.fire();
  const rows: Row[] = [];
  const date = median(took.date);
  for (const [way, name, isAsked] of [
    ["write", "written in place", true],
    ["rename", "written and renamed", true],
    ["cp", "cp, its own start among it", false],
  ] as const) {
    const mid = median(took[way]) - date;
    const tail = quantile(took[way], 0.99) - date;
    const demand = (value: number, limit: number) => (isAsked ? atMost(value, limit, "ms") : undefined);
    rows.push(
      row(`drop to start, ${name}: median of ${DROPS}`, mid, "ms", 1, demand(mid, MEDIAN_LIMIT)),
      row(`drop to start, ${name}: 99th percentile`, tail, "ms", 1, demand(tail, TAIL_LIMIT)),
    );
  }
  rows.push(row("… from which the start of date, which tells the time, was taken off", date, "ms", 1));
  return rows;
}
