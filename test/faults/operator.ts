import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Accepted } from "../checker/checker.js";
import type { Dice } from "../rig/dice.js";
import { run } from "./small-disk.js";
import { QUICK_LEASE, type WitnessedProject } from "./witnessed-project.js";

/**
 * A person at a shell in the project's directory who uses `mv`, `rm` and `chmod`, and tells the checker about it. Each
 * move is one rename. The rename succeeds, or has no effect because another process was faster.
 */
export class Operator {
  readonly #project: WitnessedProject;
  readonly #dice: Dice;
  readonly #elsewhere: string;

  constructor(project: WitnessedProject, dice: Dice) {
    this.#project = project;
    this.#dice = dice;
    this.#elsewhere = path.join(path.dirname(project.directory), "elsewhere");
    fs.mkdirSync(this.#elsewhere, { recursive: true });
  }

  /** `mv jobqueue/J.ini elsewhere/`, and back after a while. @returns whether there was a job */
  async moveAwayAndBack(): Promise<boolean> {
    const file = this.#one("jobqueue");
    if (file === undefined || !this.#move(this.#project.path("jobqueue", file), this.#away(file)))
      return false;
    await delay(this.#dice.between(0, 1.5 * QUICK_LEASE));
    return this.#move(this.#away(file), this.#project.path("jobqueue", file));
  }

  /** `rm jobqueue/J.ini`. The file is moved away first, which shows whether it was there. */
  remove(): boolean {
    const file = this.#one("jobqueue");
    if (file === undefined || !this.#move(this.#project.path("jobqueue", file), this.#away(file)))
      return false;
    fs.rmSync(this.#away(file));
    this.#tell(file, (all) => all.map(({ job, retries = 0 }) => ({ job, retries, withdrawn: true })));
    return true;
  }

  /** `mv jobfailed/J.ini jobqueue/`. The job is accepted once more. */
  tryAgain(): boolean {
    const file = this.#one("jobfailed");
    if (
      file === undefined ||
      !this.#move(this.#project.path("jobfailed", file), this.#project.path("jobqueue", file))
    )
      return false;
    this.#tell(file, (all) => [...all, ...all.slice(-1)]);
    return true;
  }

  /** `rm -r dispatcher.lock`. A standby may then dispatch beside the dispatcher. */
  removeDispatcherLock(): boolean {
    if (!this.#project.has("dispatcher.lock")) return false;
    fs.rmSync(this.#project.path("dispatcher.lock"), { recursive: true, force: true });
    return true;
  }

  /** `rm jobpod/W/.order`. */
  loseOrder(): boolean {
    const desks = this.#project.desks().filter((desk) => this.#project.has("jobpod", desk, ".order"));
    if (desks.length === 0) return false;
    fs.rmSync(this.#project.path("jobpod", this.#dice.pick(desks), ".order"), { force: true });
    return true;
  }

  /** Makes the project read-only for a while. */
  async makeReadOnly(): Promise<boolean> {
    const makeWritable = makeReadOnly(this.#project.directory);
    if (makeWritable === undefined) return false;
    await delay(this.#dice.between(0.3, 2) * QUICK_LEASE);
    makeWritable();
    return true;
  }

  /** Returns a job in a directory that was not submitted as part of an array. */
  #one(room: string): string | undefined {
    const files = this.#project.list(room).filter((name) => /^job\d+\.ini$/.test(name));
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
    const { accepted } = this.#project;
    const isIt = ({ job }: Accepted) => `${job}.ini` === file;
    const all = now(accepted.filter(isIt));
    accepted.splice(0, accepted.length, ...accepted.filter((one) => !isIt(one)), ...all);
  }
}

/**
 * Makes a directory and those below it read-only. Root gets EPERM, by the immutable flag, and other users get EACCES.
 *
 * @returns a function that undoes this, or undefined where root cannot set the flag
 */
export function makeReadOnly(root: string): (() => void) | undefined {
  const isRoot = process.getuid?.() === 0;
  if (isRoot && run("chattr", "+i", root) !== undefined) return undefined;
  const set = (on: boolean) => {
    // The directories of ended jobs come last. Some directories are gone by then.
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
      // the file is gone meanwhile
    }
  }
  return found;
}
