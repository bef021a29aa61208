import fs from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { BenchProject } from "./bench-project.js";
import { atLeast, median, type Row, row } from "./measure.js";
import type { Setup } from "./setup.js";

/** Milliseconds that a job sleeps, and the number of jobs for each worker. */
const LOADS = [
  { ms: 1, each: 500 },
  { ms: 10, each: 150 },
  { ms: 100, each: 30 },
] as const;
/** Least share of the ideal in the measured time, by the length of the jobs in ms. */
const DEMANDED = new Map([
  [10, 0.93],
  [100, 0.97],
]);
/** Jobs that are compared with xargs, and the number of workers. */
const XARGS = { ms: 100, jobs: 400, workers: 4, least: 0.97 };

/**
 * Compares the time of a queue of short jobs with an ideal. The ideal is one shell loop for each worker, which runs the
 * worker's share of the jobs one after the other. Both times contain the start of the job's script.
 */
export async function makespan(setup: Setup): Promise<Row[]> {
  return [...(await besideLoops(setup)), await besideXargs(setup)];
}

/** Compares the whole dispatcher command with xargs. */
async function besideXargs({ scratch, rounds, tell }: Setup): Promise<Row> {
  const { ms, jobs, workers, least } = XARGS;
  const ratios: number[] = [];
  for (let n = 1; n <= rounds; n++) {
    tell(`${jobs} jobs of ${ms} ms beside xargs, round ${n} of ${rounds}`);
    const project = new BenchProject(scratch, "makespan");
    const script = path.join(project.layout.root, "job.sh");
    fs.writeFileSync(script, `#!/bin/sh\nexec sleep ${ms / 1000}\n`, { mode: 0o755 });
    const begin = performance.now();
    const list = `seq ${jobs} | xargs -P ${workers} -n1 "$0"`;
    await execa("/bin/sh", ["-c", list, script], { env: scratch.env });
    const xargs = (performance.now() - begin) / 1000;
    project.drop(jobs, script);
    await project.hire(workers);
    const { seconds } = await project.dispatch();
    await project.fire();
    ratios.push(xargs / seconds);
  }
  const ratio = median(ratios);
  const what = `${jobs} jobs of ${ms} ms on ${workers} workers: the dispatcher command : xargs -P${workers}`;
  return row(what, ratio, "", 3, atLeast(ratio, least, `≥ ${least}`));
}

async function besideLoops({ scratch, rounds, cores, tell }: Setup): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { ms, each } of LOADS) {
    const whole: number[] = [];
    const inner: number[] = [];
    const ideals: number[] = [];
    for (let n = 1; n <= rounds; n++) {
      tell(`makespan of ${ms} ms jobs, round ${n} of ${rounds}`);
      const project = new BenchProject(scratch, "makespan");
      const script = path.join(project.layout.root, "job.sh");
      fs.writeFileSync(script, `#!/bin/sh\nexec sleep ${ms / 1000}\n`, { mode: 0o755 });
      const loop = `i=0; while [ $i -lt ${each} ]; do "$0" x; i=$((i+1)); done`;
      const begin = performance.now();
      await Promise.all(
        Array.from({ length: cores }, () => execa("/bin/sh", ["-c", loop, script], { env: scratch.env })),
      );
      const ideal = (performance.now() - begin) / 1000;
      project.drop(each * cores, script);
      await project.hire(cores);
      const { seconds } = await project.dispatch();
      await project.fire();
      const { starts, ends } = project.times;
      ideals.push(ideal);
      whole.push(seconds / ideal);
      inner.push(((ends.at(-1) ?? 0) - (starts[0] ?? 0)) / 1000 / ideal);
    }
    const share = 1 / median(inner);
    const load = `${each * cores} jobs of ${ms} ms`;
    const least = DEMANDED.get(ms);
    rows.push(
      row(`${load}: the ideal, ${cores} shell loops`, median(ideals), "s", 2),
      row(
        `${load}: the ideal, as a share of first start to last end`,
        share * 100,
        "%",
        1,
        least === undefined ? undefined : atLeast(share, least, `≥ ${least * 100} %`),
      ),
      row(`${load}: the dispatcher command : ideal`, median(whole), "", 2),
    );
  }
  return rows;
}
