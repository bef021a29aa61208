/** Condition under which a run of many jobs stops early. */
export interface Halt {
  /** `soon`: no further job is started, and running jobs go on to their ends. `now`: running jobs are stopped, too. */
  readonly when: "soon" | "now";
  /** Number of failed jobs that stops the run. */
  readonly fail?: number;
  /** Share of all jobs, from 0 to 1, whose failure stops the run. It is used when `fail` is missing. */
  readonly share?: number;
}

const FORM = /^(soon|now),fail=(\d+)(%?)$/;

/** Reads `soon,fail=3` or `now,fail=20%`, as in GNU parallel. @returns undefined for any other text */
export function parseHalt(text: string): Halt | undefined {
  const [, when, number, percent] = FORM.exec(text.replace(/\s/g, "")) ?? [];
  if (when === undefined || Number(number) === 0) return undefined;
  const kind = when as Halt["when"];
  if (percent === "%") return Number(number) <= 100 ? { when: kind, share: Number(number) / 100 } : undefined;
  return { when: kind, fail: Number(number) };
}

/** Whether a number of failed jobs, out of all jobs, stops the run. */
export function isTimeToHalt(halt: Halt, failed: number, total: number): boolean {
  return failed > 0 && failed >= (halt.fail ?? total * (halt.share ?? 1));
}
