import fs from "node:fs";
import { execa } from "execa";
import type { CpuTime } from "../ledger/line.js";
import { sendSignal, signalGroup } from "../spool/group.js";
import { startToken } from "../spool/identity.js";
import { systemClock } from "../store/clock.js";
import { AnswerPipe } from "./answer-pipe.js";
import { END_SKIP, framing, jobText, type RunRequest, SKIPPED, UNRECORDED } from "./command.js";
import { Guardian } from "./guardian.js";
import { type Inherited, PLAIN } from "./inherited.js";
import { OomWatch } from "./out-of-memory.js";
import type { RunEnd, Runner } from "./runner.js";
import { CAN_LIST_CHILDREN, ChildrenClock, hasChildren, hasLeftovers, MemoryWatch } from "./usage.js";

/**
 * Lets the launcher shell survive signals to its whole group. A subshell gets the default action of each signal again. `set +e`
 * lets it survive a job that fails, which an exported SHELLOPTS could prevent in bash.
 */
const SURVIVE = "set +e; trap : HUP INT QUIT TERM; trap fjord_skip=1 USR1; fjord_skip=\n";
/** Wakes the worker. The answers tell what has happened. */
const WAKE = "command echo\n";
/** Answers to the worker go to descriptor 3. Without a pipe of their own they wake the worker. */
const ANSWER_TO_OUTPUT = "exec 3>&1\n";
/** The exit status of a job. */
const STATUS = /^=\d{1,3}$/;
/** Time in ms between two looks whether the shell waits for a job. */
const CHILD_LOOKS_APART = 1;
/** Whether answers may wait in a pipe until the worker reads them. */
const ANSWERS_WAIT = CAN_LIST_CHILDREN;
const TIMES = /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/;

function startShell(
  [program, ...args]: Inherited["program"],
  directory: string,
  environment: Readonly<Record<string, string>>,
) {
  return execa(program, args, {
    cwd: directory,
    env: environment,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
  });
}

/** Reads the second line that a shell's `times` prints (POSIX 2.14). */
function parseTimes(line: string): CpuTime | undefined {
  const match = TIMES.exec(line);
  if (match === null) return undefined;
  const [um, us, sm, ss] = match.slice(1).map(Number) as [number, number, number, number];
  return { user: um * 60 + us, system: sm * 60 + ss };
}

/**
 * A long-lived `/bin/sh` in a session and process group of its own that runs one job after the other. A fork of this shell costs
 * less than a spawn from Node, which blocks for a millisecond. A guardian kills the group when the worker dies.
 */
export class LauncherShell implements Runner {
  readonly #shell: ReturnType<typeof startShell>;
  readonly #guardian: Guardian;
  readonly #clock: ChildrenClock;
  readonly #memory = new OomWatch();
  readonly group: string;
  readonly #pid: number;
  readonly #program: string;
  #rest = "";
  #partOfAnswer = "";
  #lastTimes = "";
  #children: CpuTime = { user: 0, system: 0 };
  /** The jobs that the shell has, in the order in which it runs them. */
  readonly #queue: Queued[] = [];
  /** Monotonic time, ms, when the first job of the queue began, as far as it is known. */
  #since = 0;
  readonly #answers: AnswerPipe | undefined;
  /** Whether the shell skips the jobs that it still has. */
  #isSkipping = false;
  /** Whether the shell may not have read the end of the last skip. It would end a new skip, too. */
  #isEnding = false;
  /** Text of the last jobs of the queue, and their number. The shell gets them when it has no jobs left to skip. */
  #heldText = "";
  #held = 0;
  #skip: Promise<void> | undefined;
  #dead = false;

  /** Working directory: that of the worker, or `/` if the worker's directory was removed. Then jobs that need it fail. */
  readonly directory: string;

  /**
   * @param environment variables that every job of this worker gets in addition to the worker's own environment
   * @param ledger path of the worker's ledger
   * @param inherited how the shell passes the worker's own environment on
   * @throws ErrnoException EAGAIN when the system can start no process now
   */
  constructor(
    directory: string,
    environment: Readonly<Record<string, string>>,
    ledger: string,
    inherited: Inherited = PLAIN,
  ) {
    this.#program = inherited.program[0];
    this.directory = fs.existsSync(directory) ? directory : "/";
    this.#answers = ANSWERS_WAIT ? AnswerPipe.make() : undefined;
    this.#shell = startShell(inherited.program, this.directory, environment);
    if (this.#shell.pid === undefined) {
      this.#answers?.close();
      throw Object.assign(new Error("EAGAIN: the launcher shell could not be started"), { code: "EAGAIN" });
    }
    this.#pid = this.#shell.pid;
    this.group = `${this.#pid}:${startToken(this.#pid) ?? ""}`;
    this.#guardian = new Guardian(this.#pid);
    this.#clock = new ChildrenClock(this.#pid);
    this.#shell.stdout.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    this.#shell.stdin.on("error", () => undefined); // EPIPE: the event "exit" follows
    this.#shell.once("exit", () => this.#died());
    this.#shell.stdin.write(SURVIVE + (this.#answers?.prologue ?? ANSWER_TO_OUTPUT));
    if (inherited.prologue.length > 0) this.#shell.stdin.write(inherited.prologue);
    this.#shell.stdin.write(framing(ledger));
  }

  /** The jobs whose end has not been told. */
  get #open(): readonly Queued[] {
    return this.#queue.filter(({ isTold }) => !isTold);
  }

  /** A skip is certain only if the shell's children and its answers can be read at any time. */
  get canSkip(): boolean {
    return this.#answers !== undefined;
  }

  get isAlive(): boolean {
    return !this.#dead;
  }

  run(requests: readonly RunRequest[]): Promise<RunEnd>[] {
    const isIdle = this.#queue.length === 0;
    if (isIdle) this.#since = systemClock.now();
    const ends = requests.map(
      () => new Promise<RunEnd>((resolve) => this.#queue.push({ resolve, isTold: false })),
    );
    if (this.#dead) {
      this.#died();
      return ends;
    }
    const text = requests.map((request) => jobText(request, this.#program)).join("") + WAKE;
    if (isIdle || !this.#isSkipping) this.#write(text);
    else {
      this.#heldText += text;
      this.#held += requests.length;
    }
    return ends;
  }

  #write(text: string): void {
    this.#shell.stdin.write((this.#isSkipping ? END_SKIP : "") + text);
    this.#isEnding ||= this.#isSkipping;
    this.#isSkipping = false;
  }

  look(): number {
    if (this.#answers !== undefined && !this.#dead) this.#take(this.#answers.read());
    return this.#open.length;
  }

  skip(): Promise<void> {
    this.#skip ??= this.#skipWaiting().finally(() => {
      this.#skip = undefined;
    });
    return this.#skip;
  }

  /**
   * First the shell has to read the end of the last skip. When that was written, the shell had no jobs, so a child or an answer
   * shows that it has gone on to the jobs behind it.
   *
   * A child of the shell that is there after the signal, while no answer comes, is the first job without an end. While the shell
   * waits for this child, it begins no other one, and after that it acts on the signal first.
   */
  async #skipWaiting(): Promise<void> {
    this.#dropHeld();
    while (this.#isEnding && !hasChildren(this.#pid)) {
      if (this.look() < 2 || this.#dead) return;
      await systemClock.sleep(CHILD_LOOKS_APART);
    }
    this.#isEnding = false;
    if (this.look() < 2 || this.#dead) return;
    this.#isSkipping = true;
    sendSignal(this.#pid, "SIGUSR1");
    for (;;) {
      const before = this.look();
      const isWaiting = hasChildren(this.#pid);
      const after = this.look();
      if (after === 0) return;
      if (isWaiting && before === after) break;
      if (!isWaiting) await systemClock.sleep(CHILD_LOOKS_APART);
    }
    for (const queued of this.#open.slice(1)) tell(queued, { kind: "skipped" });
  }

  signal(signal: NodeJS.Signals): void {
    signalGroup(this.#pid, signal);
  }

  watch(deadline: number): void {
    this.#guardian.watch(deadline);
  }

  renew(deadline: number): void {
    this.#guardian.renew(deadline);
  }

  rest(): void {
    this.#guardian.rest();
  }

  watchMemory(longest: number): MemoryWatch {
    return new MemoryWatch(this.#pid, longest);
  }

  describeKill(): string {
    return this.#memory.describe();
  }

  hasLeftovers(): boolean {
    return hasLeftovers(this.#pid);
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#shell;
    void this.#guardian.dismiss();
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) if (TIMES.test(line)) this.#lastTimes = line; // first that of the shell, then of its children
    if (this.#answers === undefined) this.#takeAll(lines);
    else this.look();
  }

  #take(text: string): void {
    const lines = (this.#partOfAnswer + text).split("\n");
    this.#partOfAnswer = lines.pop() ?? "";
    this.#takeAll(lines);
  }

  /** Other lines than answers are messages of the shell itself. */
  #takeAll(lines: readonly string[]): void {
    const answers = lines.filter((line) => STATUS.test(line) || line === SKIPPED || line === UNRECORDED);
    const ended = answers.filter((answer) => answer.startsWith("=")).length;
    const now = systemClock.now();
    const each = (now - this.#since) / ended;
    const cpu = ended === 0 ? null : this.#cpuOfEach(ended);
    for (const answer of answers) {
      const queued = this.#queue.shift();
      if (queued === undefined) continue;
      this.#isEnding = false;
      if (answer === SKIPPED) {
        this.#isSkipping = true; // a job may have sent the signal, too
        tell(queued, { kind: "skipped" });
      } else if (answer === UNRECORDED) tell(queued, { kind: "unrecorded" });
      else {
        this.#since += each;
        const status = Number(answer.slice(1));
        tell(queued, { kind: "exited", status, cpu, seconds: each / 1000, end: this.#since });
      }
    }
    if (ended > 0) this.#since = now;
    if (this.#held > 0 && this.#queue.length === this.#held) this.#writeHeld();
  }

  #writeHeld(): void {
    const text = this.#heldText;
    this.#heldText = "";
    this.#held = 0;
    this.#write(text);
  }

  /** Takes back the jobs that the shell has not got. */
  #dropHeld(): void {
    const from = this.#queue.length - this.#held;
    for (const queued of this.#queue.splice(from)) tell(queued, { kind: "skipped" });
    this.#heldText = "";
    this.#held = 0;
  }

  /** CPU time since the last call, divided by the number of jobs. */
  #cpuOfEach(jobs: number): CpuTime | null {
    const now = process.platform === "linux" ? this.#clock.read() : parseTimes(this.#lastTimes);
    if (now === undefined) return null;
    const before = this.#children;
    this.#children = now;
    const since = (later: number, earlier: number) => Math.round(((later - earlier) / jobs) * 1e6) / 1e6;
    return { user: since(now.user, before.user), system: since(now.system, before.system) };
  }

  #died(): void {
    if (!this.#dead) {
      this.look();
      this.#answers?.close();
    }
    this.#dead = true;
    this.#clock.close();
    this.signal("SIGKILL"); // other processes may still be alive in the group
    this.#held = 0;
    const [first, ...others] = this.#open;
    this.#queue.length = 0;
    for (const queued of others) tell(queued, { kind: "skipped" });
    void this.#guardian
      .dismiss()
      .then((byGuardian) => first && tell(first, { kind: "shell-died", byGuardian }));
  }
}

/** A job that the shell has. */
interface Queued {
  readonly resolve: (end: RunEnd) => void;
  /** Whether the end has been told before the shell's answer. */
  isTold: boolean;
}

function tell(queued: Queued, end: RunEnd): void {
  queued.isTold = true;
  queued.resolve(end);
}
