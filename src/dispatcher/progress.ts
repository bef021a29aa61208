/** Counts since this dispatcher began. `waiting`, `running`, `workers` and `free` are the current numbers. */
export interface Progress {
  readonly waiting: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Jobs that were cancelled: on a desk, in the queue, or because a job that they waited for did not succeed. */
  readonly cancelled: number;
  readonly workers: number;
  readonly free: number;
  /** Jobs per second in the last seconds; 0 while unknown. */
  readonly rate: number;
  /** Seconds since this dispatcher saw the first job. */
  readonly elapsed: number;
}
