import { visible } from "../job/quote.js";

/** `1 job`, `12 jobs`. */
export function count(n: number, noun = "job"): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** A name that stands for one job or for many jobs. The numbers of an array share one name. */
interface Named {
  readonly job: string;
  /** Number of jobs for which the name stands; 1 if left out. */
  readonly count?: number;
}

/** Number of jobs for which the names stand together. */
export function total(names: readonly Pick<Named, "count">[]): number {
  return names.reduce((sum, one) => sum + (one.count ?? 1), 0);
}

/** Largest number of names in a sentence. */
const MOST = 5;

/** Text with the first few names, and the number of the others. */
export function some(names: readonly string[], most = MOST): string {
  return someOf(
    names.map((job) => ({ job })),
    most,
  );
}

/** Text with the first few names, as `some` makes it. Names that stand for many jobs come first. */
export function someOf(names: readonly Named[], most = MOST): string {
  const shown = names.toSorted((a, b) => (b.count ?? 1) - (a.count ?? 1)).slice(0, most);
  const more = total(names) - total(shown);
  return shown.map(({ job }) => visible(job)).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
