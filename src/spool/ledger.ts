import type { JobResult } from "../job/job-result.js";
import { isOutcome, type Outcome } from "../job/outcome.js";
import type { EndRoom } from "../project/layout.js";
import { NetworkStore } from "./network-store.js";
import type { Appender, Store } from "./store.js";

/** The version of the lines' schema, docs/ledger.md. A reader passes over lines of a version it does not know. */
const LEDGER_VERSION = 1;

/** Where S6 put the job: an outcome's room, back into the queue, or on the desk of S9. */
export type Destination = EndRoom | "jobqueue" | "retry";

/** CPU seconds of the attempt and all its children that it waited for. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** What happened, as its actor saw it. Times are ISO 8601 by the actor's clock, shown and never compared. */
export type LedgerEvent =
  | { event: "hired"; worker: string; host: string; pid: number; directory: string }
  | { event: "left"; worker: string; reason: string }
  | { event: "started"; job: string; attempt: number; worker: string; log: string }
  | {
      event: "ended";
      job: string;
      attempt: number;
      worker: string;
      host: string;
      outcome: Outcome;
      start: string;
      end: string;
      /** Wall time by the worker's monotonic clock. */
      seconds: number;
      cpu: CpuTime | null;
      /** Peak resident memory in bytes, where the system told it while the job ran. */
      memory: number | null;
      /** What the job wrote to `$FJORD_RESULT`. */
      result?: JobResult;
      to: Destination;
      /** The job file's inode, modification and change time: tells it from another of its name. */
      stamp: string;
    }
  | { event: "discarded"; job: string; attempt: number; worker: string; reason: string }
  | { event: "lost"; job: string; attempt: number; worker: string; reason: string; to: Destination }
  | { event: "retry"; job: string; attempt: number; to: "jobqueue"; reason: string }
  /** `stamp`: the job file's as it lay on the retry desk, from where it is about to be moved. */
  | { event: "retry"; job: string; attempt: number; to: "jobfailed"; reason: string; stamp: string }
  | { event: "refused"; job: string; file: string; reason: string }
  /**
   * A job that waited was cancelled. `attempt`: its last one, 0 for none: what fails after it counts anew. `because`: the job
   * that it was to run after, if that is why.
   */
  | { event: "cancelled"; job: string; attempt: number; by: string; reason: string; because?: string }
  | { event: "worker-lost"; worker: string; reason: string }
  | { event: "dispatching"; dispatcher: string; host: string; pid: number }
  | { event: "dispatched"; dispatcher: string; succeeded: number; failed: number; reason: string };

export type LedgerLine = LedgerEvent & { v: number; t: string };

/**
 * Written behind a line that was torn: of that nothing but its newline may be missing, which would make it whole, and what it tells
 * of did not happen.
 */
const TORN = "#\n";

/**
 * One actor's own history: append-only JSON lines. What could not be written whole (a full disk) is made no line by the
 * next append, which begins afresh behind it, and readers pass over it.
 */
export class Ledger {
  readonly #store: Store;
  readonly #path: string;
  readonly #flush: boolean;
  /** Undefined after an error: what was opened before a server went away may never work again (sshfs, ESTALE). */
  #appender: Appender | undefined;
  #torn: boolean;

  private constructor(store: Store, path: string, appender: Appender, flush: boolean, torn: boolean) {
    this.#store = store;
    this.#path = path;
    this.#appender = appender;
    this.#flush = flush;
    this.#torn = torn;
  }

  /** @param flush whether outcomes go to the disk before they count */
  static async open(store: Store, path: string, flush: boolean): Promise<Ledger> {
    const appender = await store.appender(path);
    try {
      // By somebody who wrote to it before, and had room for half a line: what a person does by commands is in one ledger.
      const isTorn = !["", "\n"].includes(await store.tail(path, 1));
      return new Ledger(store, path, appender, flush, isTorn);
    } catch (error) {
      await appender.close().catch(() => undefined);
      throw error;
    }
  }

  /** Appends one event; throws when it was not written (ENOSPC …): then it did not happen. */
  async append(event: LedgerEvent): Promise<void> {
    const t = new Date(this.#store.clock.wall()).toISOString();
    const line = `${JSON.stringify({ v: LEDGER_VERSION, t, ...event })}\n`;
    try {
      this.#appender ??= await this.#store.appender(this.#path);
      await this.#appender.append(this.#torn ? `${TORN}${line}` : line);
      this.#torn = false;
      if (this.#flush && (event.event === "ended" || event.event === "lost")) await this.#appender.flush();
    } catch (error) {
      this.#torn = true;
      await this.close().catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    const appender = this.#appender;
    this.#appender = undefined;
    await appender?.close();
  }
}

type Field = "job" | "attempt" | "worker" | "host" | "outcome" | "to" | "stamp" | "reason" | "directory";

const text = (value: unknown) => typeof value === "string";
const DESTINATIONS: ReadonlySet<unknown> = new Set([
  "jobdone",
  "jobfailed",
  "jobcancelled",
  "jobqueue",
  "retry",
]);

/** What readers go by has to be of its kind, if it is there. */
const FIELDS: Readonly<Record<Field, (value: unknown) => boolean>> = {
  job: text,
  attempt: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  worker: text,
  host: text,
  outcome: isOutcome,
  to: (value) => DESTINATIONS.has(value),
  stamp: text,
  reason: text,
  directory: text,
};

const KINDS = Object.entries(FIELDS);
/** By event, what has to be there. */
const EVENTS: Readonly<Record<LedgerEvent["event"], readonly Field[]>> = {
  hired: ["worker"],
  left: ["worker"],
  started: ["job", "attempt"],
  ended: ["job", "attempt", "outcome", "to"],
  discarded: ["job", "attempt"],
  lost: ["job", "attempt", "to"],
  retry: ["job", "attempt", "to"],
  refused: ["job", "reason"],
  cancelled: ["job", "attempt", "reason"],
  "worker-lost": ["worker"],
  dispatching: [],
  dispatched: [],
};

function isLine(value: unknown): value is LedgerLine {
  if (typeof value !== "object" || value === null) return false;
  const line = value as Readonly<Record<string, unknown>>;
  if (line.v !== LEDGER_VERSION || !text(line.t) || !Object.hasOwn(EVENTS, String(line.event))) return false;
  if (!EVENTS[line.event as LedgerEvent["event"]].every((field) => line[field] !== undefined)) return false;
  return KINDS.every(([field, isOfKind]) => line[field] === undefined || isOfKind(line[field]));
}

/** The lines of a piece of a ledger, as they stand. What has no newline at its end is under way, or torn. */
export function wholeLines(text: string): string[] {
  return text.split("\n").slice(0, -1);
}

/** What a piece of a ledger tells. */
export function parseLedger(text: string): LedgerLine[] {
  return parseLines(wholeLines(text));
}

/**
 * What lines of a ledger tell. Torn, foreign and newer ones are passed over, and so is what lacks something that its
 * event should have: the directories are the truth of state, and no line may stop who reads.
 */
export function parseLines(texts: readonly string[]): LedgerLine[] {
  const lines: LedgerLine[] = [];
  for (const line of texts) {
    if (line === "") continue;
    try {
      const parsed: unknown = JSON.parse(line);
      if (isLine(parsed)) lines.push(parsed);
    } catch {
      // torn by a crash or a full disk
    }
  }
  return lines;
}

/** So much is read at once. */
const PIECE = 1 << 18;

/** Reads a ledger as it grows: each call gives the whole lines that came since the last. */
export class LedgerReader {
  readonly #store: Pick<Store, "readFrom">;
  readonly #path: string;
  #offset = 0;
  #rest = Buffer.alloc(0);

  /**
   * @param offset where to begin, bytes
   * @param store how it is read; through the thread pool if not said, as the file may lie anywhere
   */
  constructor(path: string, offset = 0, store: Pick<Store, "readFrom"> = new NetworkStore()) {
    this.#store = store;
    this.#path = path;
    this.#offset = offset;
  }

  async *read(): AsyncGenerator<LedgerLine> {
    for (;;) {
      const piece = await this.#store.readFrom(this.#path, this.#offset, PIECE);
      this.#offset += piece.length;
      const bytes = Buffer.concat([this.#rest, piece]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      this.#rest = Buffer.from(bytes.subarray(end));
      yield* parseLedger(bytes.toString("utf8", 0, end));
      if (piece.length < PIECE) return;
    }
  }
}
