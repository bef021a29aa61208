import type { KnownJobs } from "./known-jobs.js";

/** Number of ready jobs to keep in the queue while arrays have waiting elements, in addition to one for each worker. */
const READY_AT_LEAST = 16;
/** Number of additional ready jobs to keep for each job on a desk. */
const READY_PER_JOB = 2;

/** S11: makes elements of arrays into jobs in the queue, as many as the workers will soon need. */
export async function feed({ arrays, stock, desks }: KnownJobs): Promise<void> {
  const workers = desks.all.filter(({ announcement }) => announcement !== undefined).length;
  if (workers === 0 || arrays.waiting === 0 || stock.isListing) return;
  const target = READY_AT_LEAST + workers + READY_PER_JOB * desks.jobs;
  if (!(await arrays.feed(target, stock))) return;
  await stock.list();
  await stock.readOn();
}

/** S11: begins the arrays whose files lie in the queue. */
export async function beginArrays({ arrays, stock }: KnownJobs): Promise<void> {
  let hasBegun = false;
  for (const file of stock.arrays.keys()) {
    if (!(await arrays.begin(file))) continue;
    stock.forget(file);
    hasBegun = true;
  }
  if (hasBegun) await arrays.readAll();
}
