import { isCancelRequest } from "../project/entry-names.js";
import type { Note } from "../project/layout.js";
import { type CancelRequest, carryOutCancelRequest, readCancelRequest } from "../spool/cancel-request.js";
import { ifThere } from "../store/file-facts.js";
import type { DeskView, OwnDesk } from "./desk.js";
import type { Duty } from "./duty.js";
import type { Leave } from "./state.js";

/** Answers the notes on a worker's desk, which fire the worker, or cancel or hold single jobs. */
export class Notes {
  readonly #duty: Duty;
  readonly #desk: OwnDesk;
  readonly #dismiss: (how: Leave, why: string) => void;
  /** The latest answers. One call waits for the one before, because two at once would answer the same note twice. */
  #answering: Promise<number> = Promise.resolve(0);
  /** Whether a note has to wait because the worker was just claiming its job. */
  #hasUnanswered = false;

  constructor(duty: Duty, desk: OwnDesk, dismiss: (how: Leave, why: string) => void) {
    this.#duty = duty;
    this.#desk = desk;
    this.#dismiss = dismiss;
  }

  /** Whether an entry of the desk is a note. */
  isNote(entry: string): boolean {
    return entry === ".fire" || entry === ".fire-now" || isCancelRequest(entry);
  }

  /** Reads the desk and answers its notes while the job loop does something else. */
  answerNow(): void {
    this.#desk
      .read()
      .then((view) => view && this.answer(view))
      .catch(() => undefined); // the next beat reads the desk again
  }

  /** Answers notes about a job that the worker was just claiming when it read them. The job runs now. */
  answerAgain(): void {
    if (!this.#hasUnanswered) return;
    this.#hasUnanswered = false;
    this.answerNow();
  }

  /** @returns how many notes about single jobs were answered */
  answer({ note, cancelRequests }: DeskView): Promise<number> {
    this.#answerFiring(note);
    if (cancelRequests.length === 0) return Promise.resolve(0);
    const before = this.#answering;
    this.#answering = before.catch(() => 0).then(() => this.#answerAll(cancelRequests));
    return this.#answering;
  }

  #answerFiring(note: Note | undefined): void {
    switch (note) {
      case "fire-now":
        this.#dismiss("now", "fired");
        break;
      case "fire":
        this.#dismiss("after-job", "fired");
        break;
      case undefined:
        break;
      default:
        note satisfies never;
    }
  }

  async #answerAll(entries: readonly string[]): Promise<number> {
    const { store, layout, id } = this.#duty;
    let answered = 0;
    for (const entry of entries) {
      const path = layout.onDesk(id, entry);
      const request = await readCancelRequest(store, path);
      if (request === undefined) continue;
      if (await this.#answerOne(request)) {
        await store.unlink(path).catch(() => undefined);
        answered++;
      } else {
        this.#hasUnanswered = true;
      }
    }
    return answered;
  }

  /** @returns false when the note has to wait because the worker is just claiming its job */
  async #answerOne(request: CancelRequest): Promise<boolean> {
    const { lane } = this.#duty;
    const { file, what, by } = request;
    if (lane.has(file)) await lane.clear();
    if (!lane.has(file)) return this.#cancelOrHold(request);
    if (what === "cancel") void lane.stop({ kind: "cancelled", by }, file);
    return true;
  }

  /** S4: cancels or holds a job on the desk that has not begun. @returns false when its lock is taken */
  async #cancelOrHold(request: CancelRequest): Promise<boolean> {
    const { store, layout, locksmith, id } = this.#duty;
    const path = layout.onDesk(id, request.file);
    if (!(await store.has(path))) return true;
    const lock = await ifThere(locksmith.lock(path, () => undefined));
    if (lock === undefined) return false;
    try {
      await carryOutCancelRequest(this.#duty, request, path, 0);
    } finally {
      await lock.release();
    }
    return true;
  }
}
