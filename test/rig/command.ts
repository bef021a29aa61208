import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { sampleCoverage } from "./coverage.js";
import { until } from "./until.js";

/** The root of the package; this file is in dist/test/rig. */
export const PACKAGE = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

export type CommandName = "recruiter" | "dispatcher" | "worker" | "fjord";

export function binary(name: CommandName): string {
  return path.join(PACKAGE, "bin", `${name}.js`);
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
  /** Time in seconds after which the command counts as hung; infinity for a daemon. */
  readonly longest?: number;
}

export interface CommandEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const LONGEST = 60;
/** Ms to wait for the end of the output of a process that has exited. A process that it left behind may hold the pipe open. */
const LAST_WORDS = 1000;

function spawn(program: string, args: readonly string[], options: CommandOptions) {
  const { longest = LONGEST } = options;
  return execa(program, args, {
    cwd: options.cwd ?? process.cwd(),
    env: sampleCoverage(options.env ?? process.env),
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    ...(longest === Number.POSITIVE_INFINITY ? {} : { timeout: longest * 1000 }),
    killSignal: "SIGKILL",
    ...(options.input === undefined ? {} : { input: options.input }),
  });
}

/** A program that a test has started, and watches while it runs. */
export class RunningCommand {
  readonly pid: number;
  /**
   * Resolves at the exit and the end of all output. Processes that the program left behind may delay the end of the
   * output.
   */
  readonly end: Promise<CommandEnd>;
  /** Resolves at the exit, when the output that was written up to then has arrived. */
  readonly exit: Promise<void>;
  readonly #child: ReturnType<typeof spawn>;
  readonly #name: string;
  #stdout = "";
  #stderr = "";
  #output = "";
  #exitCode: number | undefined;
  #hasExited = false;
  #hasEnded = false;

  constructor(program: string, args: readonly string[], options: CommandOptions) {
    this.#name = [path.basename(program), ...args.map((arg) => path.basename(arg))].join(" ");
    this.#child = spawn(program, args, options);
    this.pid = this.#child.pid ?? 0;
    this.#child.stdout?.on("data", (text: Buffer) => {
      this.#stdout += text;
      this.#output += text;
    });
    this.#child.stderr?.on("data", (text: Buffer) => {
      this.#stderr += text;
      this.#output += text;
    });
    this.#child.stdin?.on("error", () => undefined);
    const closed = new Promise((resolve) => this.#child.once("close", resolve));
    this.exit = new Promise((resolve) => {
      this.#child.once("exit", (code) => {
        this.#exitCode = code ?? undefined;
        this.#hasExited = true;
        void Promise.race([closed, delay(LAST_WORDS)]).then(() => resolve());
      });
      this.#child.once("error", () => resolve());
    });
    this.end = this.#child.then((result) => {
      const { exitCode, signal, stdout, stderr } = result;
      this.#hasEnded = true;
      if (result.timedOut) throw new Error(`${this.#name} hung\n${stdout}\n${stderr}`);
      return { exitCode, signal, stdout: String(stdout), stderr: String(stderr) };
    });
    this.end.catch(() => undefined); // only callers that wait for the end get the error
  }

  get isAlive(): boolean {
    return !this.#hasExited;
  }

  /** Undefined while the program runs, and when a signal has ended it. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Both streams, in the order in which they arrived. */
  get output(): string {
    return this.#output;
  }

  /** Waits until the program has printed something on its standard output. */
  async said(what: string | RegExp): Promise<void> {
    const isSaid = () => (typeof what === "string" ? this.#stdout.includes(what) : what.test(this.#stdout));
    await until(
      `"${this.#name}" has said ${what}`,
      () => {
        if (isSaid()) return true;
        if (this.#hasEnded)
          throw new Error(`"${this.#name}" ended and did not say ${what}\n${this.#words()}`);
        return false;
      },
      () => this.#words(),
    );
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    if (this.isAlive) this.#child.kill(signal);
  }

  /** Types on the program's standard input. */
  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  #words(): string {
    const end = this.isAlive ? "" : `exited with ${this.#exitCode ?? this.#child.signalCode}\n`;
    return `${end}--- stdout\n${this.#stdout}--- stderr\n${this.#stderr}`;
  }
}
