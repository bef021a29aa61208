import crypto from "node:crypto";
import type { Layout } from "../project/layout.js";
import { isErrno, type Store } from "./store.js";

/** What somebody asks a worker for, of one job on its desk: a note, as S4 and S6 are the worker's to do there. */
export interface Ask {
  /** `cancel`: also when it runs. `hold`: only when it has not begun. */
  readonly what: "cancel" | "hold";
  readonly file: string;
  /** Who asks: `user@host`. */
  readonly by: string;
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
