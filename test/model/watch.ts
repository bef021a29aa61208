import type { Layout } from "../../src/project/layout.js";
import type { Line } from "../checker/evidence.js";
import { dependenciesOf, type JobPlan, namesOf, planOf } from "./jobs.js";
import { Numbers } from "./numbers.js";
import { nameOf, type Roll } from "./roll.js";
import type { Run } from "./runner.js";
import type { Change, Inode, Server } from "./server.js";
import { Told } from "./told.js";
import type { Actor, World } from "./world.js";

/**
 * A job that was accepted. The inode identifies it, not the name. An array is not such a job, but its elements are.
 */
interface Accepted {
  readonly file: string;
  readonly job: string;
  readonly inode: Inode;
  /** Time when the job came into the queue, from outside or from a place where it did not count. */
  at: number;
  /** The directory in which it ended. */
  final: string | undefined;
  hasSucceeded: boolean;
  /** Whether it was removed by an operator after its end. */
  isCleaned: boolean;
  /** How often it was put back after its end. */
  revivals: number;
  /** How often it was put back for an attempt before its last one. */
  late: number;
  /** The actor that last moved the job, and the time of this move. */
  moved: { readonly by: string; readonly at: number };
}

const FINAL = ["jobdone", "jobfailed", "jobcancelled"];
const OVERWRITTEN = "overwritten";

/**
 * Checks each change on the server and each run, and reports an error at once. `test/checker` checks the facts that are
 * known only at the end.
 */
export class Watch {
  readonly accepted: Accepted[] = [];
  readonly runs: Run[] = [];
  readonly numbers: Numbers;
  readonly told: Told;
  readonly #world: World;
  readonly #server: Server;
  readonly #layout: Layout;
  readonly #plans: readonly JobPlan[];
  readonly #roll: Roll;
  /** Incomplete files that people are writing in the queue. */
  readonly #drops = new Set<Inode>();
  #beginsDrop = false;
  /** Time when each array was accepted. */
  readonly #arrays = new Map<string, number>();
  /** The holder of each lock. */
  readonly #holders = new Map<string, string>();
  /** The last holder whose lock another actor removed. */
  readonly #robbed = new Map<string, string>();
  /** Jobs that a dispatcher took from a desk after its lock had been removed (S4). */
  readonly #takenLate = new Set<string>();

  constructor(world: World, server: Server, layout: Layout, plans: readonly JobPlan[], roll: Roll) {
    this.#world = world;
    this.#server = server;
    this.#layout = layout;
    this.#plans = plans;
    this.#roll = roll;
    this.numbers = new Numbers(world, server, layout, plans);
    this.told = new Told(world, server, layout, roll, this.numbers, this.runs);
  }

  get areAllEnded(): boolean {
    return (
      this.accepted.every(({ final }) => final !== undefined) &&
      [...this.#arrays.keys()].every((name) => this.#waitingNumbersOf(name).length === 0)
    );
  }

  /** The accepted jobs, with the counts of how often each was put back. */
  get submissions(): { job: string; plan: JobPlan; revivals: number; late: number; isCleaned: boolean }[] {
    const none = { revivals: 0, late: 0, isCleaned: false };
    const cancelled = this.numbers.in("array cancelled").map((job) => ({ job, ...none }));
    const seen = new Map<string, number>();
    return [...this.accepted, ...cancelled].map(({ job, revivals, late, isCleaned }) => {
      const nth = seen.get(job) ?? 0;
      seen.set(job, nth + 1);
      const plan = this.numbers.arrayOf(job) ?? this.#plans.filter(({ name }) => name === job)[nth];
      if (plan === undefined) throw new Error(`no plan for ${job}`);
      return { job, plan, revivals, late, isCleaned };
    });
  }

  /** Names of the held jobs and numbers. */
  get held(): string[] {
    const files = this.accepted.filter(
      ({ file, inode }) => this.#placesOf(file, inode)[0] === this.#layout.jobheld,
    );
    return [...files.map(({ job }) => job), ...this.numbers.in("array held")];
  }

  /** The complete lines of all ledgers. */
  lines(): Line[] {
    const lines: Line[] = [];
    for (const [ledger, { data }] of this.#server.find(this.#layout.ledger)?.entries ?? []) {
      for (const [index, text] of data.toString().split("\n").slice(0, -1).entries()) {
        try {
          lines.push({ ...(JSON.parse(text) as Line), ledger, index });
        } catch {
          // a torn line, which the checker reports
        }
      }
    }
    return lines;
  }

  /**
   * Checks the start of a job.
   *
   * @param file the job's file on its worker's desk
   * @returns the job's plan
   */
  seeRun(job: string, worker: string, file: string, line: string | undefined): JobPlan | undefined {
    const plan = planOf(this.#plans, line);
    if (plan === undefined || !namesOf(plan).includes(job)) {
      this.#world.fail(`torn: ${job} was started as ${line}`);
      return undefined;
    }
    if (!this.#roll.hasReturned(worker)) this.#seeBegin(job, worker, file);
    this.#seeOverlap(job);
    for (const { name, isToSucceed } of dependenciesOf(plan)) this.#seeDependency(job, name, isToSucceed);
    return plan;
  }

  /**
   * A job may start only while it lies on its worker's desk. If it lies there, it has not ended, is not held, and no
   * other worker has it.
   */
  #seeBegin(job: string, worker: string, file: string): void {
    if (this.#roll.isFenced(worker)) this.#world.fail(`begun after its worker was declared lost: ${job}`);
    const there = this.#server.find(file);
    if (this.accepted.some(({ inode }) => inode === there)) return;
    this.#world.fail(`begun, and not on its worker's desk: ${job} in [${this.#placesOf(nameOf(file))}]`);
  }

  #seeOverlap(job: string): void {
    const other = this.runs.find((run) => run.job === job && run.end === undefined);
    if (other === undefined) return;
    const { worker, attempt } = other;
    if (this.#roll.hasReturned(worker) || this.#takenLate.has(job)) return;
    const excuse = this.#roll.isFenced(worker) ? "after" : "before";
    this.#world.fail(
      `overlap: ${job} begins while attempt ${attempt} runs on, ${excuse} its worker was declared lost`,
    );
  }

  #seeDependency(job: string, name: string, isToSucceed: boolean): void {
    const others = this.#plans.filter((plan) => plan.name === name).flatMap(namesOf);
    for (const other of others) {
      const found = this.accepted.filter((one) => one.job === other);
      const isMet = isToSucceed
        ? found.some(({ hasSucceeded }) => hasSucceeded)
        : found.some(({ final, revivals }) => final !== undefined || revivals > 0) ||
          this.numbers.placeOf(other) === "array cancelled" ||
          this.#server.find(this.#layout.ended("jobcancelled", `${other}.ini`)) !== undefined; // cancelled while incomplete
      if (!isMet) this.#world.fail(`begun too early: ${job}, before ${other}`);
    }
  }

  /** @param make creates a file in the queue, which is written after that */
  beginDrop(make: () => Inode): Inode {
    this.#beginsDrop = true;
    const inode = make();
    this.#beginsDrop = false;
    this.#drops.add(inode);
    return inode;
  }

  /** Whether a file of this name was taken out of the queue while people were writing it, and is still incomplete. */
  isWrittenAside(job: string): boolean {
    const rooms = ["jobheld", ...FINAL].map((room) => `${this.#layout.root}/${room}/${job}.ini`);
    return [...this.#drops].some((inode) => rooms.some((path) => this.#server.find(path) === inode));
  }

  /** Records that a file in the queue is complete. */
  endDrop(file: string, inode: Inode): void {
    this.#drops.delete(inode);
    this.#accept(file, inode);
    // An operator may have cancelled the job while the file was incomplete.
    const [room = ""] = this.#placesOf(file, inode).map(nameOf);
    const job = this.accepted.find((one) => one.inode === inode);
    if (job !== undefined && FINAL.includes(room)) job.final = room;
  }

  /** @param listedAt when this dispatcher last began to list the queue */
  seeAllEnded(dispatcher: string, listedAt: number): void {
    const early = (job: string, at: number) => {
      if (at > listedAt || this.numbers.freedAt(job) > listedAt || this.#isBlocked(job, listedAt)) return;
      this.#world.fail(
        `all-done too early: ${dispatcher} says so, ${job} is in ${this.#placesOf(`${job}.ini`)}`,
      );
    };
    for (const { file, job, inode, at, final } of this.accepted) {
      const isHeld = this.#placesOf(file, inode)[0] === this.#layout.jobheld;
      if (final === undefined && !isHeld) early(job, at);
    }
    for (const [array, at] of this.#arrays) {
      for (const job of this.#waitingNumbersOf(array)) {
        if (this.numbers.placeOf(job) !== "array held") early(job, at);
      }
    }
  }

  /**
   * Whether the job waits for a job that was held, released or missing after the queue was listed. A dispatcher does
   * not wait for such a job.
   */
  #isBlocked(job: string, listedAt: number): boolean {
    const plan = this.numbers.arrayOf(job) ?? this.#plans.find(({ name }) => name === job);
    const held = this.held;
    return (plan === undefined ? [] : dependenciesOf(plan)).some(({ name }) => {
      const others = this.#plans.filter((one) => one.name === name).flatMap(namesOf);
      return others.some(
        (other) =>
          held.includes(other) ||
          this.numbers.freedAt(other) > listedAt ||
          this.#isBlocked(other, listedAt) ||
          !(
            this.accepted.some((one) => one.job === other && one.at <= listedAt) ||
            (this.numbers.placeOf(other) !== undefined && (this.#arrays.get(name) ?? 0) <= listedAt)
          ),
      );
    });
  }

  /** Numbers that are neither jobs nor cancelled. */
  #waitingNumbersOf(array: string): string[] {
    const plan = this.numbers.arrayOf(array);
    const place = (job: string) => this.numbers.placeOf(job) ?? "array cancelled";
    return plan === undefined ? [] : namesOf(plan).filter((job) => place(job) !== "array cancelled");
  }

  #accept(file: string, inode: Inode): void {
    const job = file.replace(/\.ini$/, "");
    const at = this.#world.time;
    if (this.numbers.isArray(job)) {
      this.#arrays.set(job, at);
      this.numbers.accept(job);
    } else {
      const moved = { by: this.#world.current, at };
      const counts = { revivals: 0, late: 0 };
      const not = { final: undefined, hasSucceeded: false, isCleaned: false };
      this.accepted.push({ file, job, inode, at, ...not, ...counts, moved });
    }
  }

  see(change: Change): void {
    const { what, path, to = path, inode } = change;
    this.#roll.seeBeat(to, inode);
    this.#seeLock(what, path);
    if (what === "write" || what === "link" || what === "touch") return;
    if (what === "rename" && inode.entries !== undefined) this.#roll.seeDesk(path, to);
    if (inode.entries === undefined && what !== "unlink" && this.#isInQueue(to))
      this.#seeArrival(path, to, inode);
    if (what === "rename") this.#seeElement(path, to, inode);
    const isTaken = what === "rename" && this.#isInQueue(path) && this.#drops.has(inode);
    if (isTaken && !/^op/.test(this.#world.current)) {
      this.#world.fail(`torn: ${path} was taken to ${to} before it was whole`);
    }
    if (what === "rename" && change.replaced !== undefined) this.#seeOverwritten(change.replaced, path, to);
    if (what === "rename" && this.#isInRoom(path)) this.#seeMove(inode, path, to);
    if (what === "unlink" && this.#isInRoom(path)) this.#seeCleaned(inode);
    this.numbers.see(change);
    if (what !== "mkdir") for (const job of this.accepted) this.#seePlaces(job, `${what} ${path} ${to}`);
  }

  #seeLock(what: Change["what"], path: string): void {
    if (what === "link") this.#holders.set(path, this.#world.current);
    if (what !== "unlink") return;
    const holder = this.#holders.get(path);
    if (holder !== undefined && holder !== this.#world.current) this.#robbed.set(path, holder);
    this.#holders.delete(path);
  }

  /**
   * Records that a number becomes a job. Most numbers go into the queue, but an operator may take one on its way there.
   */
  #seeElement(path: string, to: string, inode: Inode): void {
    const { root, jobarrays } = this.#layout;
    const isOut =
      path.startsWith(`${jobarrays}/`) && to.startsWith(`${root}/`) && !to.startsWith(`${jobarrays}/`);
    const file = nameOf(to);
    if (!isOut || inode.entries !== undefined || nameOf(path) !== file) return;
    this.numbers.becomes(file.replace(/\.ini$/, ""));
    this.#accept(file, inode);
    if (!this.#isInQueue(to)) this.#seeMove(inode, path, to);
  }

  #seeArrival(path: string, to: string, inode: Inode): void {
    if (this.#beginsDrop || this.#drops.has(inode)) return;
    const file = nameOf(to);
    if (path === to) this.#world.fail(`torn: ${file} is in the queue before it is written`);
    if (this.#isInRoom(path) || path.startsWith(`${this.#layout.jobarrays}/`)) return;
    this.#accept(file, inode);
  }

  #seeCleaned(inode: Inode): void {
    const job = this.accepted.find((one) => one.inode === inode);
    if (job !== undefined && job.final !== undefined && /^op/.test(this.#world.current)) job.isCleaned = true;
  }

  /**
   * S6: the ledger is written before an outcome is published. A published job stays until an operator asks for it
   * again.
   */
  #seeMove(inode: Inode, path: string, to: string): void {
    const job = this.accepted.find((one) => one.inode === inode);
    if (job === undefined) return;
    const room = to.split("/").at(-2) ?? "";
    // S4: the dispatcher was delayed after it took the lock, and another actor removed the lock.
    const isRebalanced = [path, to].every((one) => one.startsWith(`${this.#layout.jobpod}/`));
    if (isRebalanced && this.#robbed.get(`${path}.lock`) === this.#world.current)
      this.#takenLate.add(job.job);
    // S9: the dispatcher looked at the file before the job's last attempt, and was delayed since then.
    const isRetry = room === "jobqueue" && path.startsWith(`${this.#layout.retryDesk}/`);
    if (isRetry && job.moved.at > (this.#mover?.foundAt.get(path) ?? Number.POSITIVE_INFINITY)) job.late++;
    job.moved = { by: this.#world.current, at: this.#world.time };
    if (room === "jobqueue" && path.startsWith(`${this.#layout.jobheld}/`)) job.at = this.#world.time;
    if (room === "jobheld") this.#seeNotRun(job.job);
    // A job that is held on the retry desk has another attempt when it is released, even if the dispatcher would have
    // given it up.
    if (room === "jobheld" && path.startsWith(`${this.#layout.retryDesk}/`)) job.revivals++;
    if (job.final !== undefined) {
      const isRevived = room === "jobqueue" && job.final !== "jobdone" && /^op/.test(this.#world.current);
      if (!isRevived) this.#world.fail(`published twice: ${job.file} in ${job.final}, then ${room}`);
      job.final = undefined;
      job.at = this.#world.time;
      job.revivals++;
      return;
    }
    if (!FINAL.includes(room)) return;
    job.final = room;
    if (room === "jobdone") job.hasSucceeded = true;
    // A command moves the job first and records that afterwards.
    if (room === "jobcancelled") return;
    const isTold = this.lines().some((line) => line.job === job.job && line.to === room);
    if (!isTold) this.#world.fail(`published before the ledger tells: ${job.file} to ${room}`);
  }

  /**
   * Handles two jobs with the same name of which the first is overwritten. The protocol allows this in two cases
   * (docs/protocol.md, assumptions). In the first case, the first job came after another actor had found the place
   * free. In the second case, two dispatchers put both jobs on one desk.
   */
  #seeOverwritten(inode: Inode, path: string, to: string): void {
    const job = this.accepted.find((one) => one.inode === inode);
    if (job === undefined || job.final !== undefined) return;
    const missedAt = this.#mover?.missedAt.get(to) ?? Number.POSITIVE_INFINITY;
    const byTwo = this.#isInQueue(path) && /^d/.test(job.moved.by) && job.moved.by !== this.#world.current;
    if (job.moved.at > missedAt || byTwo) job.final = OVERWRITTEN;
  }

  /** The actor that made the last call. */
  get #mover(): Actor | undefined {
    return this.#world.actors.find(({ name }) => name === this.#world.current);
  }

  #seeNotRun(job: string): void {
    const run = this.runs.find((one) => one.job === job && one.end === undefined);
    if (run === undefined || this.#roll.hasReturned(run.worker)) return;
    this.#world.fail(`held while it runs: ${job}, by ${run.worker}`);
  }

  /** No job is lost or in two places. Another job with the same name may replace an ended job. */
  #seePlaces({ file, inode, final }: Accepted, after: string): void {
    const places = this.#placesOf(file, inode);
    if (places.length === 1 || (final !== undefined && places.length === 0)) return;
    this.#world.fail(`${places.length === 0 ? "lost" : "twice"}: ${file} in [${places}] after ${after}`);
  }

  #placesOf(file: string, inode?: Inode): string[] {
    const { jobqueue, jobheld, jobpod } = this.#layout;
    const desks = [...(this.#server.find(jobpod)?.entries?.keys() ?? [])].map((desk) => `${jobpod}/${desk}`);
    const ends = FINAL.map((room) => `${this.#layout.root}/${room}`);
    return [jobqueue, jobheld, ...desks, ...ends].filter((dir) => {
      const there = this.#server.find(`${dir}/${file}`);
      const behind = this.#server.find(
        this.#layout.behindOnRetryDesk(file, { ino: inode?.ino ?? 0, mtimeMs: 0 }),
      );
      if (dir === this.#layout.retryDesk && behind !== undefined) return true;
      return there !== undefined && (inode === undefined || there === inode);
    });
  }

  #isInQueue(path: string): boolean {
    return path.startsWith(`${this.#layout.jobqueue}/`) && !nameOf(path).startsWith(".");
  }

  /** Whether a path is a job's file in a directory for jobs. */
  #isInRoom(path: string): boolean {
    const name = nameOf(path);
    const { root, workerqueue, jobarrays } = this.#layout;
    const isElsewhere = path.startsWith(`${workerqueue}/`) || path.startsWith(`${jobarrays}/`);
    return path.startsWith(`${root}/`) && name.endsWith(".ini") && !name.startsWith(".") && !isElsewhere;
  }
}
