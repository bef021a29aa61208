import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { isErrno } from "../store/store.js";
import type { Judgement } from "./finding.js";
import type { TestContext } from "./test-context.js";

const FILE = "replaced";
const SIZE = 4096;
const TIMES = 200;

export interface Replacing {
  readonly times: number;
  readonly reads: number;
  /** Number of reads that found no file. */
  readonly missing: number;
  /** Number of reads that returned incomplete or mixed content. */
  readonly torn: number;
  /** Number of reads that failed with ESTALE. The file was replaced between open and read. */
  readonly stale: number;
}

/** The other process renames new contents over a file while this process reads the file. */
export async function replaceWhileRead(context: TestContext): Promise<Judgement> {
  const file = path.join(context.scratch, FILE);
  await context.store.create(file, "0".repeat(SIZE), false);
  let replacing = true;
  const replaced = context.remote.replace({ file: FILE, size: SIZE, times: TIMES });
  const end = () => {
    replacing = false;
  };
  replaced.then(end, end);
  const seen = { reads: 0, missing: 0, torn: 0, stale: 0 };
  while (replacing) {
    seen.reads++;
    try {
      const { bytes } = await context.store.read(file, 2 * SIZE);
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
    const found = `a file was replaced ${times} times and read ${reads} times, was missing ${missing} times and incomplete ${torn} times`;
    return torn > 0
      ? {
          verdict: "bad",
          found,
          means: "fjord may read half of a heartbeat, so do not put a project here",
          measured: seen,
        }
      : {
          verdict: "warning",
          found,
          means:
            "fjord may skip a worker until the next poll, but does not declare it lost (sshfs behaves like this on one host)",
          measured: seen,
        };
  }
  return {
    verdict: "ok",
    found: `a file was replaced ${times} times and read ${reads} times, and was always complete${stale > 0 ? ` (${stale} reads had a stale handle)` : ""}`,
    means: "fjord always reads complete heartbeats",
    measured: seen,
  };
}
