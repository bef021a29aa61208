import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Accepted } from "../checker/checker.js";
import { type Bench, type Dice, QUICK_LEASE } from "./harness.js";
import { run } from "./small-disk.js";

/**
 * Somebody at a shell in the project's directory, with nothing but `mv`, `rm` and `chmod`. What he has done he tells the
 * checker. Each of his moves is one rename: it has worked, or somebody else was quicker and nothing has happened.
 */
export class Operator {
  readonly #bench: Bench;
  readonly #dice: Dice;
  readonly #elsewhere: string;

  constructor(bench: Bench, dice: Dice) {
    this.#bench = bench;
    this.#dice = dice;
    this.#elsewhere = path.join(path.dirname(bench.root), "elsewhere");
    fs.mkdirSync(this.#elsewhere, { recursive: true });
  }

  /** `mv jobqueue/J.ini elsewhere/`, and after a while back. @returns whether there was one */
  async moveAwayAndBack(): Promise<boolean> {
    const file = this.#one("jobqueue");
    if (file === undefined || !this.#move(this.#bench.path("jobqueue", file), this.#away(file))) return false;
    await delay(this.#dice.between(0, 1.5 * QUICK_LEASE));
    return this.#move(this.#away(file), this.#bench.path("jobqueue", file));
  }

  /** `rm jobqueue/J.ini`: that job is withdrawn. It is moved first, so that it is known whether it was there. */
  remove(): boolean {
    const file = this.#one("jobqueue");
    if (file === undefined || !this.#move(this.#bench.path("jobqueue", file), this.#away(file))) return false;
    fs.rmSync(this.#away(file));
    this.#tell(file, (all) => all.map(({ job, retries = 0 }) => ({ job, retries, withdrawn: true })));
    return true;
  }

  /** `mv jobfailed/J.ini jobqueue/`: it is accepted once more. */
  tryAgain(): boolean {
    const file = this.#one("jobfailed");
    if (
      file === undefined ||
      !this.#move(this.#bench.path("jobfailed", file), this.#bench.path("jobqueue", file))
    )
      return false;
    this.#tell(file, (all) => [...all, ...all.slice(-1)]);
    return true;
  }

  /** `rm -r dispatcher.lock`: whoever stands by can take the seat, beside who has it. */
  clearSeat(): boolean {
    if (!this.#bench.has("dispatcher.lock")) return false;
    fs.rmSync(this.#bench.path("dispatcher.lock"), { recursive: true, force: true });
    return true;
  }

  /** `rm jobpod/W/.order`. */
  loseOrder(): boolean {
    const desks = this.#bench.desks().filter((desk) => this.#bench.has("jobpod", desk, ".order"));
    if (desks.length === 0) return false;
    fs.rmSync(this.#bench.path("jobpod", this.#dice.pick(desks), ".order"), { force: true });
    return true;
  }

  /** For a while nothing can be made, moved or removed anywhere in the project. */
  async makeReadOnly(): Promise<boolean> {
    const makeWritable = makeReadOnly(this.#bench.root);
    if (makeWritable === undefined) return false;
    await delay(this.#dice.between(0.3, 2) * QUICK_LEASE);
    makeWritable();
    return true;
  }

  /** One of the jobs there that were submitted by themselves; elements of arrays have no name of their own yet. */
  #one(room: string): string | undefined {
    const files = this.#bench.list(room).filter((name) => /^job\d+\.ini$/.test(name));
    return files.length === 0 ? undefined : this.#dice.pick(files);
  }

  #away(file: string): string {
    return path.join(this.#elsewhere, file);
  }

  #move(from: string, to: string): boolean {
    if (fs.existsSync(to)) return false;
    try {
      fs.renameSync(from, to);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }

  #tell(file: string, now: (all: Accepted[]) => Accepted[]): void {
    const { accepted } = this.#bench;
    const isIt = ({ job }: Accepted) => `${job}.ini` === file;
    const all = now(accepted.filter(isIt));
    accepted.splice(0, accepted.length, ...accepted.filter((one) => !isIt(one)), ...all);
  }
}

/**
 * Nothing can be made, moved or removed below a directory: EPERM for root, by the immutable flag; EACCES for anybody else.
 *
 * @returns what undoes it; undefined where root has no such flag
 */
export function makeReadOnly(root: string): (() => void) | undefined {
  const isRoot = process.getuid?.() === 0;
  if (isRoot && run("chattr", "+i", root) !== undefined) return undefined;
  const set = (on: boolean) => {
    // The rooms in which jobs end come last. Some of the directories are gone when their turn comes.
    const isLast = (dir: string) => Number(/\/job(?:done|failed)$/.test(dir));
    const all = directories(root).sort((a, b) => isLast(a) - isLast(b));
    if (isRoot) spawnSync("chattr", ["-f", on ? "+i" : "-i", ...all]);
    else for (const dir of all) if (fs.existsSync(dir)) fs.chmodSync(dir, on ? 0o555 : 0o755);
  };
  set(true);
  return () => set(false);
}

function directories(root: string): string[] {
  const found = [root];
  for (const dir of found) {
    try {
      for (const entry of fs.readdirSync(dir, { withFileTypes: true }))
        if (entry.isDirectory()) found.push(path.join(dir, entry.name));
    } catch {
      // gone meanwhile
    }
  }
  return found;
}
