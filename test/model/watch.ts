import type { Layout } from "../../src/project/layout.js";
import type { Settings } from "../../src/project/settings.js";
import type { Line } from "../checker/evidence.js";
import type { Run } from "./launcher.js";
import type { Change, Inode, Server } from "./server.js";
import type { World } from "./world.js";

/** A job that was accepted: the file itself, not its name. */
interface Accepted {
  readonly file: string;
  readonly inode: Inode;
  readonly at: number;
  /** Where it ended. */
  final: string | undefined;
}

const FINAL = ["jobdone", "jobfailed", "jobcancelled"];

/** The share by which a clock may be wrong. */
export const DRIFT = 0.01;

/**
 * Looks at every change of the server, and at every run, and says at once what may not be. What can only be said in the
 * end, `test/checker` says.
 */
export class Watch {
  readonly accepted: Accepted[] = [];
  readonly runs: Run[] = [];
  readonly #world: World;
  readonly #server: Server;
  readonly #layout: Layout;
  readonly #lease: number;
  /** When a worker's counter was last moved. */
  readonly #moved = new Map<string, { beat: string; at: number }>();
  /** By who looked, and at which worker: for how long that one had been silent then, ms. */
  readonly #silences = new Map<string, number>();
  readonly #fenced = new Set<string>();
  /** Those that were silent for a lease and were heard again just before they were declared lost for that. */
  readonly #returned = new Set<string>();

  constructor(world: World, server: Server, layout: Layout, settings: Settings) {
    this.#world = world;
    this.#server = server;
    this.#layout = layout;
    this.#lease = settings.beat * settings.lostAfter * 1000;
    server.onChange = (change) => this.#see(change);
    server.onRead = (path) => this.#seeLook(path);
  }

  get areAllEnded(): boolean {
    return this.accepted.every(({ final }) => final !== undefined);
  }

  /** The lines of all ledgers that are whole. */
  lines(): Line[] {
    const lines: Line[] = [];
    for (const [ledger, { data }] of this.#server.find(this.#layout.ledger)?.entries ?? []) {
      for (const [index, text] of data.toString().split("\n").entries()) {
        try {
          lines.push({ ...(JSON.parse(text) as Line), ledger, index });
        } catch {
          // torn, and told to be by the checker
        }
      }
    }
    return lines;
  }

  /** A job begins: what it is told to do, and what it should be. */
  seeRun(job: string, line: string | undefined, right: string | undefined): void {
    if (line !== right) this.#world.fail(`torn: ${job} was started as ${line}`);
    const other = this.runs.find((run) => run.job === job && run.end === undefined);
    if (other === undefined) return;
    const { worker, attempt } = other;
    if (this.#returned.has(worker)) return;
    const excuse = this.#fenced.has(worker) ? "after" : "before";
    this.#world.fail(
      `overlap: ${job} begins while attempt ${attempt} runs on, ${excuse} its worker was declared lost`,
    );
  }

  /** @param listedAt when that dispatcher last began to read the queue, and believed it */
  seeAllEnded(dispatcher: string, listedAt: number): void {
    for (const { file, at, final } of this.accepted) {
      if (final !== undefined || at > listedAt) continue;
      this.#world.fail(`all-done too early: ${dispatcher} says so, ${file} is in ${this.#placesOf(file)}`);
    }
  }

  #see(change: Change): void {
    const { what, path, to = path, inode } = change;
    if (to.startsWith(`${this.#layout.workerqueue}/`)) this.#seeBeat(to, inode);
    if (what === "write" || what === "link" || what === "mkdir") return;
    if (what === "rename" && inode.entries !== undefined) this.#seeDesk(path, to);
    if (this.#isInQueue(to) && !this.#isInRoom(path) && what !== "unlink") {
      this.accepted.push({ file: nameOf(to), inode, at: this.#world.time, final: undefined });
    }
    if (what === "rename" && this.#isInRoom(path)) this.#seeMove(inode, to);
    for (const job of this.accepted) this.#seePlaces(job, `${what} ${path} ${to}`);
  }

  #seeBeat(path: string, { ino, data, entries }: Inode): void {
    const worker = this.#layout.workerOf(nameOf(path));
    const beats = [...data.toString().matchAll(/^beat *[=:] *(\d+)$/gm)].map(([, beat]) => beat);
    if (
      worker === undefined ||
      entries !== undefined ||
      this.#server.find(path)?.ino !== ino ||
      beats.length !== 2 ||
      beats[0] !== beats[1]
    )
      return;
    const beat = beats[0] ?? "";
    if (this.#moved.get(worker)?.beat === beat) return;
    this.#moved.set(worker, { beat, at: this.#world.time });
  }

  #seeLook(path: string): void {
    if (!path.startsWith(`${this.#layout.workerqueue}/`)) return;
    const worker = this.#layout.workerOf(nameOf(path)) ?? "";
    const { time, current } = this.#world;
    this.#silences.set(
      `${current} ${worker}`,
      time - (this.#moved.get(worker)?.at ?? Number.NEGATIVE_INFINITY),
    );
  }

  /** S8: nobody is lost who has been heard within the lease. */
  #seeDesk(path: string, to: string): void {
    const kind = this.#layout.deskKind(nameOf(to));
    if (kind?.kind !== "fenced") return;
    this.#fenced.add(kind.worker);
    const { time, current } = this.#world;
    const silence = this.#silences.get(`${current} ${kind.worker}`) ?? Number.POSITIVE_INFINITY;
    if (!this.#isLease(silence))
      this.#world.fail(`lost too early: ${path}, ${silence / 1000} s after its beat`);
    // It has come back between the last look at it and the consequence.
    if (!this.#isLease(time - (this.#moved.get(kind.worker)?.at ?? 0))) this.#returned.add(kind.worker);
  }

  #isLease(ms: number): boolean {
    return ms >= this.#lease * (1 - DRIFT);
  }

  /** S6: the ledger comes first; and what is published stays. */
  #seeMove(inode: Inode, to: string): void {
    const job = this.accepted.find((one) => one.inode === inode);
    if (job === undefined) return;
    const room = to.split("/").at(-2) ?? "";
    if (job.final !== undefined)
      this.#world.fail(`published twice: ${job.file} in ${job.final}, then ${room}`);
    if (!FINAL.includes(room)) return;
    job.final = room;
    const name = job.file.replace(/\.ini$/, "");
    const isTold = this.lines().some(
      (line) => line.job === name && (line.to === room || line.event === "cancelled"),
    );
    if (!isTold) this.#world.fail(`published before the ledger tells: ${job.file} to ${room}`);
  }

  /** None is lost, and none is in two places. What has ended may be replaced by another of its name. */
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
      return there !== undefined && (inode === undefined || there === inode);
    });
  }

  #isInQueue(path: string): boolean {
    return path.startsWith(`${this.#layout.jobqueue}/`) && !nameOf(path).startsWith(".");
  }

  /** A job's file, where jobs are. */
  #isInRoom(path: string): boolean {
    const name = nameOf(path);
    return name.endsWith(".ini") && !name.startsWith(".") && !path.startsWith(`${this.#layout.workerqueue}/`);
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
