import fs, { createWriteStream } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { Layout } from "../../src/project/layout.js";
import { type LedgerLine, parseLedger } from "../../src/spool/ledger.js";
import { binary, type CommandName } from "../../test/rig/command.js";
import { cpuOf } from "./proc.js";
import type { Scratch } from "./scratch.js";

/** A worker's processes. */
export interface WorkerPids {
  readonly worker: number;
  /** Its launcher shell, whose children the jobs are. */
  readonly shell: number;
}

/** A dispatcher that runs. */
export interface RunningDispatcher {
  readonly pid: number;
  /** When it has ended, however. */
  readonly gone: Promise<unknown>;
  stop(): Promise<void>;
}

/** A project for measuring: fjord's real commands in a directory of its own. */
export class BenchProject {
  readonly layout: Layout;
  readonly #env: NodeJS.ProcessEnv;

  constructor(scratch: Scratch, name: string) {
    this.layout = new Layout(scratch.make(name));
    this.#env = { ...scratch.env, FJORD_PROJECT: this.layout.root };
    for (const dir of this.layout.directories()) fs.mkdirSync(dir, { recursive: true });
  }

  /** Drops job files as `cp` does: create, write, close. They are called `PREFIX000000.ini` … */
  drop(count: number, executable: string, prefix = "j"): void {
    const text = `[control]\nexecutable = ${executable}\n`;
    for (let i = 0; i < count; i++) {
      fs.writeFileSync(this.layout.queued(`${prefix}${String(i).padStart(6, "0")}.ini`), text);
    }
  }

  /** Runs a command to its end; gives what it printed and the seconds it took. */
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

  /** Dispatches all that waits; gives the seconds from the command's start to its last line, and its CPU seconds. */
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

  /** Starts a dispatcher that stays. */
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

  /** Jobs that lie on workers' desks. */
  get onDesks(): number {
    const { jobpod } = this.layout;
    const desks = fs.readdirSync(jobpod).filter((entry) => this.layout.deskKind(entry) !== undefined);
    const names = desks.flatMap((worker) => fs.readdirSync(this.layout.desk(worker)));
    return names.filter((name) => name.endsWith(".ini")).length;
  }

  get done(): number {
    return fs.readdirSync(this.layout.end("jobdone")).length;
  }

  /** When jobs ended and started by the workers' ledgers, ms since 1970, each in order of time. */
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
