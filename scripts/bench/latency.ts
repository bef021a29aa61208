import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { BenchProject } from "./bench-project.js";
import { CLOCK_JOB as JOB, now, printed } from "./clock-job.js";
import { atMost, median, quantile, type Row, row } from "./measure.js";
import type { Setup } from "./setup.js";

/** Number of jobs for each way to drop a file. */
const DROPS = 60;
/** Shortest and longest pause between two drops, in ms. All processes are idle after it. The random length avoids polls. */
const PAUSE = [150, 350] as const;
/** Longest median, in ms. */
const MEDIAN_LIMIT = 5;
/** Longest 99th percentile, in ms. */
const TAIL_LIMIT = 20;

/**
 * Measures the time from the drop of a job file until the job's process starts. The job is `date +%s%N`, and its output is
 * compared with the time of the drop. The start of a `date` in the same round is subtracted. When this process writes the file,
 * the drop is the close or the rename. For `cp`, a `date` before `cp` gives the time, so the start of `cp` counts too.
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
      if (n >= 0) took[way].push(started - dropped); // in the first rounds nothing is idle yet
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
    ["cp", "cp, with the start of cp", false],
  ] as const) {
    const mid = median(took[way]) - date;
    const tail = quantile(took[way], 0.99) - date;
    const demand = (value: number, limit: number) => (isAsked ? atMost(value, limit, "ms") : undefined);
    rows.push(
      row(`drop to start, ${name}: median of ${DROPS}`, mid, "ms", 1, demand(mid, MEDIAN_LIMIT)),
      row(`drop to start, ${name}: 99th percentile`, tail, "ms", 1, demand(tail, TAIL_LIMIT)),
    );
  }
  rows.push(row("start of date, which is subtracted from the times above", date, "ms", 1));
  return rows;
}
