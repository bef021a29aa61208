import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { sampleCoverage } from "./coverage.js";
import { until } from "./until.js";

/** The package: dist/test/rig → its root. */
export const PACKAGE = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

export type CommandName = "recruiter" | "dispatcher" | "worker" | "fjord";

export function binary(name: CommandName): string {
  return path.join(PACKAGE, "bin", `${name}.js`);
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
}

/** How a command ended. */
export interface CommandEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Seconds after which a command is taken for hung. */
const LONGEST = 60;

function spawn(program: string, args: readonly string[], options: CommandOptions) {
  return execa(program, args, {
    cwd: options.cwd ?? process.cwd(),
    env: sampleCoverage(options.env ?? process.env),
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    timeout: LONGEST * 1000,
    killSignal: "SIGKILL",
    ...(options.input === undefined ? {} : { input: options.input }),
  });
}

/** A program that was started and may be watched while it runs. */
export class RunningCommand {
  readonly pid: number;
  /** Its exit and the end of all that it printed: what it started and left behind may hold the latter up. */
  readonly end: Promise<CommandEnd>;
  /** Its exit alone. */
  readonly exit: Promise<void>;
  readonly #child: ReturnType<typeof spawn>;
  readonly #name: string;
  #stdout = "";
  #stderr = "";
  #ended: CommandEnd | undefined;

  constructor(program: string, args: readonly string[], options: CommandOptions) {
    this.#name = [path.basename(program), ...args.map((arg) => path.basename(arg))].join(" ");
    this.#child = spawn(program, args, options);
    this.pid = this.#child.pid ?? 0;
    this.#child.stdout?.on("data", (text: Buffer) => {
      this.#stdout += text;
    });
    this.#child.stderr?.on("data", (text: Buffer) => {
      this.#stderr += text;
    });
    this.#child.stdin?.on("error", () => undefined);
    this.exit = new Promise((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.once("error", () => resolve());
    });
    this.end = this.#child.then((result) => {
      const { exitCode, signal, stdout, stderr } = result;
      this.#ended = { exitCode, signal, stdout: String(stdout), stderr: String(stderr) };
      if (result.timedOut) throw new Error(`${this.#name} hung\n${stdout}\n${stderr}`);
      return this.#ended;
    });
    this.end.catch(() => undefined); // whoever waits for the end hears it
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Waits until it has printed something. */
  async said(what: string | RegExp): Promise<void> {
    const heard = () => (typeof what === "string" ? this.#stdout.includes(what) : what.test(this.#stdout));
    await until(
      `"${this.#name}" has said ${what}`,
      () => {
        if (heard()) return true;
        if (this.#ended !== undefined)
          throw new Error(`"${this.#name}" has ended without saying ${what}\n${this.#words()}`);
        return false;
      },
      () => this.#words(),
    );
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Types on its standard input. */
  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  #words(): string {
    const end = this.#ended && `ended with ${this.#ended.exitCode ?? this.#ended.signal}\n`;
    return `${end ?? ""}--- stdout\n${this.#stdout}--- stderr\n${this.#stderr}`;
  }
}
