import fs from "node:fs";
import path from "node:path";
import type { WitnessedProject } from "./witnessed-project.js";

/** A job with children that it leaves running. */
export class Family {
  readonly #project: WitnessedProject;
  /** One pid on each line. */
  readonly pidFile: string;

  constructor(project: WitnessedProject) {
    this.#project = project;
    this.pidFile = path.join(project.root, "pids");
  }

  /** The command line of a job that starts these children, writes down their pids, and runs until the flag is raised. */
  line(flag: string, ...children: string[]): string {
    const starts = children.map((child) => `${child} & echo $! >>${this.pidFile}`).join("; ");
    return `${starts}; ${this.#project.lineUntil(flag)}`;
  }

  /** Waits until this many children run. @returns their pids */
  async children(count: number): Promise<number[]> {
    return this.#project.until(`${count} children run`, () => {
      if (!fs.existsSync(this.pidFile)) return undefined;
      const pids = fs.readFileSync(this.pidFile, "utf8").split("\n").filter(Boolean).map(Number);
      return pids.length >= count && pids;
    });
  }
}
