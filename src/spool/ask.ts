import crypto from "node:crypto";
import { jobName } from "../job/name.js";
import type { Layout } from "../project/layout.js";
import type { Ledger } from "./ledger.js";
import { isErrno, type Store } from "./store.js";
import { type Aside, withdraw } from "./withdraw.js";

/** What somebody asks a worker for, of one job on its desk: a note, as S4 and S6 are the worker's to do there. */
export interface Ask {
  /** `cancel`: also when it runs. `hold`: only when it has not begun. */
  readonly what: "cancel" | "hold";
  readonly file: string;
  /** Who asks: `user@host`. */
  readonly by: string;
}

/** Where and by whom a note is heeded. */
interface Heeder {
  readonly store: Store;
  readonly layout: Layout;
  readonly ledger: Pick<Ledger, "append">;
}

const LIMIT = 4096;

/** @returns whether there is such a desk */
export async function leaveAsk(store: Store, layout: Layout, worker: string, ask: Ask): Promise<boolean> {
  try {
    await store.create(layout.ask(worker, crypto.randomUUID()), JSON.stringify(ask), false);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

/**
 * Does what is asked for with a job that has not begun, or does not run any more.
 *
 * @param source where it lies; on a desk, the caller holds its lock
 * @param attempt its last one, 0 for none
 * @returns where it is now; undefined: it has gone, or another of its name is held
 */
export async function heedAsk(
  { store, layout, ledger }: Heeder,
  { what, file, by }: Ask,
  source: string,
  attempt: number,
): Promise<Aside | undefined> {
  const room = what === "hold" ? "jobheld" : "jobcancelled";
  if ((await withdraw(store, layout, source, file, room)) !== "withdrawn") return undefined;
  if (what === "cancel") {
    await ledger.append({ event: "cancelled", job: jobName(file), attempt, by, reason: `by ${by}` });
  }
  return room;
}

/** Undefined: it is being written, or is none. */
export async function readAsk(store: Store, path: string): Promise<Ask | undefined> {
  try {
    const ask = JSON.parse(await store.tail(path, LIMIT)) as Ask;
    const isAsk = typeof ask.file === "string" && typeof ask.by === "string";
    return isAsk && (ask.what === "cancel" || ask.what === "hold") ? ask : undefined;
  } catch {
    return undefined;
  }
}
