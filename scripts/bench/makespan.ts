import fs from "node:fs";
import path from "node:path";
import { execa } from "execa";
import type { Setup } from "./bench.js";
import { BenchProject } from "./bench-project.js";
import { atLeast, median, type Row, row } from "./measure.js";

/** Milliseconds that a job sleeps, and how many jobs each worker gets. */
const LOADS = [
  { ms: 1, each: 500 },
  { ms: 10, each: 150 },
  { ms: 100, each: 30 },
] as const;
/** Of jobs of so many ms, the ideal is to be at least this share of the time taken. */
const DEMANDED = { ms: 100, share: 0.97 };

/**
 * How long a queue of short jobs takes against the ideal: as many shell loops as workers, each of which runs its share of
 * the same script one after the other. The script's own start-up is in both.
 */
export async function makespan({ scratch, rounds, cores, tell }: Setup): Promise<Row[]> {
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
    rows.push(
      row(`${load}: the ideal, ${cores} shell loops`, median(ideals), "s", 2),
      row(
        `${load}: the ideal, as a share of first start to last end`,
        share * 100,
        "%",
        1,
        ms === DEMANDED.ms ? atLeast(share, DEMANDED.share, `≥ ${DEMANDED.share * 100} %`) : undefined,
      ),
      row(`${load}: the dispatcher command : ideal`, median(whole), "", 2),
    );
  }
  return rows;
}
