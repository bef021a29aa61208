import fs from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { until } from "./until.js";

/**
 * The job's side. It announces each attempt with its pid, carries out the test's orders line by line, and writes each order
 * that it has carried out to a file.
 */
export const REMOTE_JOB = `#!/bin/sh
control=$1
exec 3<"$control/orders"
echo $$ >"$control/$FJORD_ATTEMPT.tmp" && mv "$control/$FJORD_ATTEMPT.tmp" "$control/$FJORD_ATTEMPT.pid"
while IFS= read -r order <&3; do
  eval "$order"
  echo "$order" >>"$control/done"
done
`;

/** A job that waits for the test's orders, which are lines of shell. So no test has to guess how long a job takes. */
export class RemoteJob {
  readonly name: string;
  /** The command line for the job file. */
  readonly commandLine: string;
  readonly #control: string;
  readonly #state: () => string;
  #orders: number | undefined;
  #told = 0;

  private constructor(name: string, script: string, control: string, state: () => string) {
    this.name = name;
    this.commandLine = `'${script}' '${control}'`;
    this.#control = control;
    this.#state = state;
  }

  static async create(
    name: string,
    script: string,
    control: string,
    state: () => string,
  ): Promise<RemoteJob> {
    fs.mkdirSync(control, { recursive: true });
    const job = new RemoteJob(name, script, control, state);
    await execa("mkfifo", [path.join(control, "orders")]);
    // The pipe is open for reading and writing, so that neither side waits for the other and the pipe outlives an
    // attempt.
    job.#orders = fs.openSync(path.join(control, "orders"), "r+");
    return job;
  }

  /** Waits until an attempt runs, and returns its pid. */
  async started(attempt = 1): Promise<number> {
    return Number(
      await until(
        `job ${this.name} has started attempt ${attempt}`,
        () => this.#read(`${attempt}.pid`),
        this.#state,
      ),
    );
  }

  hasStarted(attempt = 1): boolean {
    return this.#read(`${attempt}.pid`) !== undefined;
  }

  /** Gives an order to the running attempt, and waits until it is carried out. */
  async tell(order: string): Promise<void> {
    const told = ++this.#told;
    this.order(order);
    await until(
      `job ${this.name} has done: ${order}`,
      () => (this.#read("done") ?? "").split("\n").length > told,
      this.#state,
    );
  }

  /** Gives an order and does not wait, for an order that ends the job. */
  order(order: string): void {
    if (this.#orders !== undefined) fs.writeSync(this.#orders, `${order}\n`);
  }

  exit(code: number): void {
    this.order(`exit ${code}`);
  }

  close(): void {
    if (this.#orders !== undefined) fs.closeSync(this.#orders);
    this.#orders = undefined;
  }

  #read(file: string): string | undefined {
    try {
      return fs.readFileSync(path.join(this.#control, file), "utf8");
    } catch {
      return undefined;
    }
  }
}
