import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { isErrno } from "../spool/store.js";
import type { Judgement } from "./finding.js";
import type { Site } from "./site.js";

const FILE = "replaced";
const SIZE = 4096;
const TIMES = 200;

export interface Replacing {
  readonly times: number;
  readonly reads: number;
  /** Reads that found no file. */
  readonly missing: number;
  /** Reads that found something else than one whole content. */
  readonly torn: number;
  /** Reads that were told ESTALE: opened, and replaced before it was read. */
  readonly stale: number;
}

/** One process renames new contents over a file, the other one reads it. */
export async function replaceWhileRead(site: Site): Promise<Judgement> {
  const file = path.join(site.scratch, FILE);
  await site.store.create(file, "0".repeat(SIZE), false);
  let replacing = true;
  const replaced = site.there.replace({ file: FILE, size: SIZE, times: TIMES });
  const noMore = () => {
    replacing = false;
  };
  replaced.then(noMore, noMore);
  const seen = { reads: 0, missing: 0, torn: 0, stale: 0 };
  while (replacing) {
    seen.reads++;
    try {
      const { bytes } = await site.store.read(file, 2 * SIZE);
      if (bytes.length !== SIZE || bytes.some((byte) => byte !== bytes[0])) seen.torn++;
    } catch (error) {
      if (isErrno(error, "ENOENT")) seen.missing++;
      else if (isErrno(error, "ESTALE")) seen.stale++;
      else {
        await replaced.catch(() => undefined);
        throw error;
      }
    }
    await turn();
  }
  await replaced;
  return judgeReplacing({ times: TIMES, ...seen });
}

export function judgeReplacing(seen: Replacing): Judgement {
  const { times, reads, missing, torn, stale } = seen;
  if (missing + torn > 0) {
    const found = `replaced ${times} times by rename and read ${reads} times: ${missing} times it was missing, ${torn} times torn`;
    return torn > 0
      ? {
          verdict: "bad",
          found,
          means: "half of a heartbeat is read: no place for a project",
          measured: seen,
        }
      : {
          verdict: "warning",
          found,
          means:
            "a worker is passed over now and then until the next look; nobody is lost by it (sshfs does so on one host)",
          measured: seen,
        };
  }
  return {
    verdict: "ok",
    found: `replaced ${times} times by rename and read ${reads} times: always there, always whole${stale > 0 ? ` (${stale} stale handles)` : ""}`,
    means: "heartbeats are read whole",
    measured: seen,
  };
}
