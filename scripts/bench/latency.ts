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
 * From the drop to the job's own first word: the job is `date +%s%N`, whose start-up counts. `cp`: the clock is read
 * by `date` before `cp` is started, so cp's start-up counts, too. Written and renamed: by this process.
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
    async rename(file: string) {
      const begin = now();
      const temporary = layout.queued(`.${file}.tmp`);
      fs.writeFileSync(temporary, JOB);
      fs.renameSync(temporary, layout.queued(file));
      return begin;
    },
  };
  const took = { cp: [] as number[], rename: [] as number[], date: [] as number[] };
  let ended = 0;
  for (let n = -2; n < DROPS; n++) {
    if (n % 20 === 0) tell(`latency, drop ${n + 1} of ${DROPS}`);
    for (const way of ["cp", "rename"] as const) {
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
  for (const [way, name] of [
    ["cp", "cp"],
    ["rename", "write and rename"],
  ] as const) {
    const mid = median(took[way]);
    const tail = quantile(took[way], 0.99);
    rows.push(
      row(`drop to start, ${name}: median of ${DROPS}`, mid, "ms", 1, atMost(mid, MEDIAN_LIMIT, "ms")),
      row(`drop to start, ${name}: 99th percentile`, tail, "ms", 1, atMost(tail, TAIL_LIMIT, "ms")),
    );
  }
  rows.push(row("… in which the start of date, which tells the time, takes", median(took.date), "ms", 1));
  return rows;
}
