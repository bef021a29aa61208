import fs from "node:fs";
import path from "node:path";
import { jobName } from "../job/name.js";
import type { Layout } from "../project/layout.js";
import type { Ledger } from "./ledger.js";
import { isErrno, type Store } from "./store.js";

/**
 * Moves what is not a valid job out of the way, to `jobfailed/`: the reason goes into the ledger first, and beside
 * the logs for people. What stands in `jobfailed/` under that name already and cannot be replaced (a directory)
 * stays: the newcomer gets a number.
 *
 * @returns whether it was moved; false: it is gone
 */
export async function refuse(
  store: Store,
  layout: Layout,
  ledger: Ledger,
  from: string,
  reason: string,
): Promise<boolean> {
  const file = path.basename(from);
  await ledger.append({ event: "refused", job: jobName(file), file, reason });
  await writeReason(store, layout, file, reason);
  for (let n = 1; ; n++) {
    const name = n === 1 ? file : `${file}.${n}`;
    try {
      await store.rename(from, layout.ended("jobfailed", name));
      return true;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return false;
      if (!isErrno(error, "EEXIST", "ENOTEMPTY", "EISDIR", "ENOTDIR") || n > 100) throw error;
    }
  }
}

/** Where the reason of a refusal is written for people. */
export function refusalLogOf(layout: Layout, file: string): string {
  return layout.refusalLog(jobName(file).replace(/[^\x20-\x7e]/g, "_"));
}

async function writeReason(store: Store, layout: Layout, file: string, reason: string): Promise<void> {
  const log = refusalLogOf(layout, file);
  try {
    await store.unlink(log).catch(() => undefined);
    await store.create(log, `${reason}\n`, false);
  } catch {
    // the ledger has it; a name too long for the log's suffix or a full disk is no reason to keep the file
  }
}

/**
 * Moves files whose names are not valid UTF-8 to `jobfailed/`, under a name that can be typed: no string names
 * them, so they are listed and moved by their bytes.
 *
 * @returns the new names
 */
export async function refuseUndecodable(layout: Layout, ledger: Ledger): Promise<string[]> {
  const moved: string[] = [];
  for (const raw of fs.readdirSync(layout.jobqueue, { encoding: "buffer" })) {
    if (!raw.toString().includes("\ufffd") || Buffer.from(raw.toString()).equals(raw)) continue;
    const name = `${raw.toString("latin1").replace(/[^\x20-\x7e]/g, "_")}.${Date.now().toString(36)}`;
    const reason = `${name}: the name is not valid UTF-8; rename the file and put it into the queue again.`;
    await ledger.append({ event: "refused", job: jobName(name), file: name, reason });
    fs.renameSync(
      Buffer.concat([Buffer.from(`${layout.jobqueue}/`), raw]),
      Buffer.from(layout.ended("jobfailed", name)),
    );
    moved.push(name);
  }
  return moved;
}
