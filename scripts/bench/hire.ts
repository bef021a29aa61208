import { BenchProject } from "./bench-project.js";
import { atMost, median, type Row, row } from "./measure.js";
import type { Setup } from "./setup.js";

/** Longest median, in s. */
const LIMIT = 1.5;

/** Measures `recruiter hire 4`, which returns when all four workers are on duty. */
export async function hire({ scratch, rounds, tell }: Setup): Promise<Row[]> {
  const took: number[] = [];
  for (let n = 1; n <= rounds + 2; n++) {
    tell(`hire, ${n} of ${rounds + 2}`);
    const project = new BenchProject(scratch, "hire");
    took.push((await project.run("recruiter", "hire", "4")).seconds);
    await project.fire();
  }
  const mid = median(took);
  return [
    row("recruiter hire 4, until it returns", mid, "s", 2, atMost(mid, LIMIT, "s")),
    row("recruiter hire 4, the slowest", Math.max(...took), "s", 2),
  ];
}
