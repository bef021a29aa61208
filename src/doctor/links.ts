import fs from "node:fs";
import path from "node:path";
import { errnoOf } from "../spool/errno.js";
import { isErrno, isSystemError } from "../spool/store.js";
import type { Judgement } from "./finding.js";
import type { Site } from "./site.js";

export interface Linking {
  /** The first link's error. */
  readonly refused: string | undefined;
  /** Names that the file has then, as the file system counts them. */
  readonly names: number;
  /** Whether a second link to the same new name was refused. */
  readonly isExclusive: boolean;
}

export async function link({ scratch, store }: Site): Promise<Judgement> {
  const file = path.join(scratch, "linked");
  const name = path.join(scratch, "linked.lock");
  await store.create(file, "", false);
  try {
    await store.link(file, name);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return judgeLinking({ refused: errnoOf(error), names: 1, isExclusive: true });
  }
  const isExclusive = await store.link(file, name).then(
    () => false,
    (error) => isErrno(error, "EEXIST"),
  );
  return judgeLinking({ refused: undefined, names: fs.statSync(file).nlink, isExclusive });
}

export function judgeLinking(linking: Linking): Judgement {
  const { refused, names, isExclusive } = linking;
  if (refused !== undefined) {
    return {
      verdict: "warning",
      found: `there are none (${refused})`,
      means: "locks of jobs are directories, which cost a little more; safe",
      measured: linking,
    };
  }
  if (!isExclusive) {
    return {
      verdict: "bad",
      found: "a second link to the same name was not refused",
      means: "a job's lock can be held twice: no place for a project",
      measured: linking,
    };
  }
  if (names !== 2) {
    return {
      verdict: "warning",
      found: `a file with two names is said to have ${names}`,
      means: "links may be copies here; fjord only needs them to be exclusive",
      measured: linking,
    };
  }
  return {
    verdict: "ok",
    found: "a file can have a second name, and each name is given once",
    means: "locks of jobs cost no file",
    measured: linking,
  };
}
