import fs from "node:fs";
import path from "node:path";
import { jobName } from "../job/name.js";
import type { Layout } from "../project/layout.js";
import type { Site } from "../store/site.js";
import { isErrno } from "../store/store.js";
import type { Recorder } from "./actor.js";

/**
 * Moves a file that is not a valid job to `jobfailed/`. Before the move, the call writes the reason into the ledger, and into a
 * log for people. If `jobfailed/` contains a directory of that name, a number is added to the name of the file.
 *
 * @returns true if the file was moved; false if it is gone
 */
export async function refuse(recorder: Recorder, from: string, reason: string): Promise<boolean> {
  const { store, layout, ledger } = recorder;
  const file = path.basename(from);
  await ledger.append({ event: "refused", job: jobName(file), file, reason });
  await writeReason(recorder, file, reason);
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

/** Path of the log that tells people the reason for a refusal. */
export function refusalLogOf(layout: Layout, file: string): string {
  return layout.refusalLog(jobName(file).replace(/[^\x20-\x7e]/g, "_"));
}

async function writeReason(site: Site, file: string, reason: string): Promise<void> {
  const { store, layout } = site;
  const log = refusalLogOf(layout, file);
  try {
    await store.unlink(log).catch(() => undefined);
    await store.create(log, `${reason}\n`, false);
  } catch {
    // An error here does no harm, because the ledger has the reason. The disk may be full, or the name may be too long for the
    // suffix of the log.
  }
}

/**
 * Moves files whose names are not valid UTF-8 to `jobfailed/`, with names that can be typed. A string cannot hold such a name, so
 * this function handles the names as bytes.
 *
 * @returns the new names
 */
export async function refuseUndecodable({ layout, ledger }: Recorder): Promise<string[]> {
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
