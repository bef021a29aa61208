/** The resources that a job needs from the host that runs it. Two jobs with the same key need the same resources. */
export interface Demand {
  readonly key: string;
}

/** Demand of a job that any worker can run. */
export const NO_DEMAND: Demand = { key: "none" };

/** The resources that a worker has for the jobs on its desk. */
export interface Capacity {
  fits(demand: Demand): boolean;
}

/** Capacity of a worker that can run any job. */
export const EVERY_DEMAND: Capacity = { fits: () => true };
