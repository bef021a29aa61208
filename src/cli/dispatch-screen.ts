import type { DispatchEvent } from "../dispatcher/dispatch.js";
import type { Progress } from "../dispatcher/progress.js";
import { visible } from "../job/quote.js";
import type { Project } from "../library/project.js";
import { toType } from "../project/to-type.js";
import { eventLines } from "./event-lines.js";
import { say } from "./main.js";
import { progressLine } from "./progress-line.js";

/** Pauses between two progress lines in ms, on a terminal and elsewhere. */
const FRAMES_APART = 100;
const LINES_APART = 10_000;

/** Largest number of failed jobs that are named. A person with hundreds of them looks into `jobfailed/`. */
const FAILURES_NAMED = 10;

type Hint = "nothing-to-do" | "no-worker";

/**
 * Prints the events of a dispatcher. On a terminal, progress is one line that is overwritten. Elsewhere, a new line is printed
 * now and then.
 */
export class DispatchScreen {
  readonly #project: Project;
  readonly #isTerminal = process.stdout.isTTY === true;
  /** Hints that were printed, or that are no longer needed. */
  readonly #settled = new Set<Hint>();
  #shownAt = Number.NEGATIVE_INFINITY;
  /** The progress line that was printed last, if no other line has been printed since. */
  #shown = "";
  /** Message of the last `trouble` event. */
  #trouble = "";
  #failed = 0;

  constructor(project: Project) {
    this.#project = project;
  }

  show(event: DispatchEvent): void {
    switch (event.kind) {
      case "progress":
        this.#progress(event.progress);
        return;
      case "failed":
        if (++this.#failed > FAILURES_NAMED) {
          if (this.#failed === FAILURES_NAMED + 1) this.#moreFailed();
          return;
        }
        break;
      case "trouble": {
        const isRepeated = event.message === this.#trouble;
        this.#trouble = event.message;
        if (isRepeated) return;
        break;
      }
    }
    for (const text of eventLines(event, this.#project)) this.line(text);
  }

  /** Prints a line. If there is a progress line, the new line replaces it. */
  line(text: string): void {
    if (this.#isTerminal && this.#shown !== "") process.stdout.write("\r\x1b[K");
    this.#shown = "";
    say("dispatcher", text);
  }

  /** Reports at the end that jobs are held. Somebody may have forgotten them. */
  showHeld(held: number): void {
    if (held === 0) return;
    const list = toType("fjord list --state held", this.#project.directory);
    this.line(`Jobs that are held until fjord release: ${held}. ${list} lists them.`);
  }

  #moreFailed(): void {
    this.line(`More jobs have failed; their files are in ${visible(this.#project.layout.end("jobfailed"))}.`);
  }

  #progress(progress: Progress): void {
    this.#hint(progress);
    if (progress.elapsed === 0) return;
    const now = performance.now();
    if (now - this.#shownAt < (this.#isTerminal ? FRAMES_APART : LINES_APART)) return;
    const text = progressLine(progress);
    if (text === this.#shown) return;
    this.#shownAt = now;
    if (this.#isTerminal) {
      process.stdout.write(`\r\x1b[K[dispatcher] ${text}`.slice(0, process.stdout.columns || 200));
    } else say("dispatcher", text);
    this.#shown = text;
  }

  /** Prints what a person must do before the jobs can go on. Each hint is printed once. */
  #hint({ elapsed, waiting, workers }: Progress): void {
    const { layout, directory } = this.#project;
    if (elapsed === 0 && !this.#settled.has("nothing-to-do")) {
      this.line(`Nothing to do yet: drop job files into ${visible(layout.jobqueue)}; Ctrl-C stops.`);
    }
    this.#settled.add("nothing-to-do");
    if (waiting === 0 || workers > 0 || this.#settled.has("no-worker")) return;
    this.#settled.add("no-worker");
    const hire = toType("recruiter hire", directory);
    this.line(`${waiting} waiting, and no worker is on duty. Hire some: ${hire}`);
  }
}
