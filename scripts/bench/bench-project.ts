import fs, { createWriteStream } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { type LedgerLine, parseLedger } from "../../src/ledger/line.js";
import { deskKind } from "../../src/project/entry-names.js";
import { Layout } from "../../src/project/layout.js";
import { binary, type CommandName } from "../../test/rig/command.js";
import { cpuOf } from "./proc.js";
import type { Scratch } from "./scratch.js";

/** A worker's processes. */
export interface WorkerPids {
  readonly worker: number;
  /** Launcher shell of the worker. The jobs are its children. */
  readonly shell: number;
}

/** A dispatcher with `--stay`. */
export interface RunningDispatcher {
  readonly pid: number;
  /** Resolves when the process has ended for any reason. */
  readonly gone: Promise<unknown>;
  stop(): Promise<void>;
}

/** A project in a directory of its own, in which fjord's real commands are measured. */
export class BenchProject {
  readonly layout: Layout;
  readonly #env: NodeJS.ProcessEnv;

  constructor(scratch: Scratch, name: string) {
    this.layout = new Layout(scratch.make(name));
    this.#env = { ...scratch.env, FJORD_PROJECT: this.layout.root };
    for (const dir of this.layout.directories()) fs.mkdirSync(dir, { recursive: true });
  }

  /** Writes job files into the queue as `cp` does: create, write, close. Their names are `PREFIX000000.ini` … */
  drop(count: number, executable: string, prefix = "j"): void {
    const text = `[control]\nexecutable = ${executable}\n`;
    for (let i = 0; i < count; i++) {
      fs.writeFileSync(this.layout.queued(`${prefix}${String(i).padStart(6, "0")}.ini`), text);
    }
  }

  /** Runs a command to its end. @returns its output, and the seconds that it took */
  async run(name: CommandName, ...args: string[]): Promise<{ stdout: string; seconds: number }> {
    const begin = performance.now();
    const { stdout } = await execa(process.execPath, [binary(name), ...args], this.#options());
    return { stdout, seconds: (performance.now() - begin) / 1000 };
  }

  async hire(count: number): Promise<WorkerPids[]> {
    const { stdout } = await this.run("recruiter", "hire", String(count), "--json");
    const hired = JSON.parse(stdout) as { worker: { process: { pid: number }; group: string } }[];
    return hired.map(({ worker }) => ({
      worker: worker.process.pid,
      shell: Number(worker.group.split(":")[0]),
    }));
  }

  async fire(): Promise<void> {
    await this.run("recruiter", "fire", "--wait");
  }

  /** Runs all waiting jobs. @returns seconds from the dispatcher's start to its last line, and its CPU seconds */
  async dispatch(): Promise<{ seconds: number; cpu: number }> {
    const before = cpuOf("self").children;
    const begin = performance.now();
    const child = execa(process.execPath, [binary("dispatcher")], this.#options());
    let end = Number.NaN;
    child.stdout.on("data", (text: Buffer) => {
      if (String(text).includes("No more jobs")) end = performance.now();
    });
    await child;
    return { seconds: (end - begin) / 1000, cpu: cpuOf("self").children - before };
  }

  /** Starts a dispatcher with `--stay`. */
  stay(): RunningDispatcher {
    const child = execa(process.execPath, [binary("dispatcher"), "--stay"], {
      ...this.#options(),
      reject: false,
      buffer: false,
    });
    child.stdout.pipe(createWriteStream(path.join(this.layout.root, "dispatcher.out")));
    return {
      pid: child.pid ?? 0,
      gone: child,
      async stop() {
        child.kill("SIGINT");
        await child;
      },
    };
  }

  /** Waits until so many jobs have succeeded. */
  async untilDone(count: number): Promise<void> {
    while (this.done < count) await delay(count > 100 ? 200 : 5);
  }

  /** Number of jobs on the desks of workers. */
  get onDesks(): number {
    const { jobpod } = this.layout;
    const desks = fs.readdirSync(jobpod).filter((entry) => deskKind(entry) !== undefined);
    const names = desks.flatMap((worker) => fs.readdirSync(this.layout.desk(worker)));
    return names.filter((name) => name.endsWith(".ini")).length;
  }

  /** Number of jobs that have succeeded. */
  get done(): number {
    return fs.readdirSync(this.layout.end("jobdone")).length;
  }

  /** Starts and ends of jobs by the ledgers of the workers, in ms since 1970, sorted. */
  get times(): { starts: number[]; ends: number[] } {
    const lines = fs
      .readdirSync(this.layout.ledger)
      .flatMap((file): LedgerLine[] =>
        parseLedger(fs.readFileSync(path.join(this.layout.ledger, file), "utf8")),
      );
    const of = (event: string) =>
      lines
        .filter((line) => line.event === event)
        .map((line) => Date.parse(line.t))
        .sort((a, b) => a - b);
    return { starts: of("started"), ends: of("ended") };
  }

  #options() {
    return { env: this.#env, extendEnv: false, cwd: this.layout.root, stdin: "ignore" } as const;
  }
}
