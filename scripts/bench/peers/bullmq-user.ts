import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";

/*
 * Two programs as a user of BullMQ would write them. `add DIR PORT JOBS` puts jobs into the queue. `work DIR PORT JOBS SLOTS`
 * runs SLOTS jobs at a time, and ends with the last job. BullMQ is loaded from DIR.
 */

/** The part of BullMQ's interface that is used here. */
interface BullMQ {
  readonly Queue: new (
    name: string,
    options: { connection: object },
  ) => {
    addBulk(jobs: { name: string; data: object }[]): Promise<unknown>;
    close(): Promise<void>;
  };
  readonly Worker: new (
    name: string,
    processor: () => Promise<void>,
    options: { connection: object; concurrency: number },
  ) => {
    on(event: "completed", listener: () => void): void;
    on(event: "failed", listener: (job: unknown, error: Error) => void): void;
    close(): Promise<void>;
  };
}

const QUEUE = "bench";
/** Number of jobs in one call of `addBulk`. */
const BULK = 1000;

const [what, dir = "", port, jobs, slots] = process.argv.slice(2);
const { Queue, Worker } = createRequire(path.join(path.resolve(dir), "package.json"))("bullmq") as BullMQ;
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };

async function add(count: number): Promise<void> {
  const queue = new Queue(QUEUE, { connection });
  for (let from = 0; from < count; from += BULK) {
    const length = Math.min(BULK, count - from);
    await queue.addBulk(Array.from({ length }, (_, i) => ({ name: "true", data: { number: from + i } })));
  }
  await queue.close();
}

async function work(count: number, concurrency: number): Promise<void> {
  const run = async () => {
    const [code] = await once(spawn("/bin/true", { stdio: "ignore" }), "exit");
    if (code !== 0) throw new Error(`/bin/true ended with ${code}`);
  };
  const worker = new Worker(QUEUE, run, { connection, concurrency });
  await new Promise<void>((resolve, reject) => {
    let done = 0;
    worker.on("completed", () => {
      if (++done === count) resolve();
    });
    worker.on("failed", (_job, error) => reject(error));
  });
  await worker.close();
}

if (what === "add") await add(Number(jobs));
else await work(Number(jobs), Number(slots));
