import type { Setup } from "./bench.js";
import { BenchProject } from "./bench-project.js";
import { atMost, median, type Row, row } from "./measure.js";

const LIMIT = 1.5;

/** `recruiter hire 4`, from the command's start until it is back, all on duty. */
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
    row("recruiter hire 4, until it is back", mid, "s", 2, atMost(mid, LIMIT, "s")),
    row("recruiter hire 4, the slowest", Math.max(...took), "s", 2),
  ];
}
