/** When a run of many jobs is to stop early, and how. */
export interface Halt {
  /** `soon`: what runs may end, nothing new begins. `now`: what runs is stopped, too. */
  readonly when: "soon" | "now";
  /** So many failed jobs, */
  readonly fail?: number;
  /** or such a share of all jobs, 0 to 1. */
  readonly share?: number;
}

const FORM = /^(soon|now),fail=(\d+)(%?)$/;

/** Reads `soon,fail=3` or `now,fail=20%` (as in GNU parallel); undefined for what is neither. */
export function parseHalt(text: string): Halt | undefined {
  const [, when, number, percent] = FORM.exec(text.replace(/\s/g, "")) ?? [];
  if (when === undefined || Number(number) === 0) return undefined;
  const kind = when as Halt["when"];
  if (percent === "%") return Number(number) <= 100 ? { when: kind, share: Number(number) / 100 } : undefined;
  return { when: kind, fail: Number(number) };
}

/** Whether it is time to stop. */
export function isTimeToHalt(halt: Halt, failed: number, total: number): boolean {
  return failed > 0 && failed >= (halt.fail ?? total * (halt.share ?? 1));
}
