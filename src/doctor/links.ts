import fs from "node:fs";
import path from "node:path";
import { errnoOf } from "../store/errno.js";
import { isErrno, isSystemError } from "../store/store.js";
import type { Judgement } from "./finding.js";
import type { TestContext } from "./test-context.js";

export interface LinkResult {
  /** Error code of the first link; undefined when the link was made. */
  readonly refused: string | undefined;
  /** Link count of the file after the first link. */
  readonly names: number;
  /** Whether a second link to the same new name was refused. */
  readonly isExclusive: boolean;
}

export async function testLinks({ scratch, store }: TestContext): Promise<Judgement> {
  const file = path.join(scratch, "linked");
  const name = path.join(scratch, "linked.lock");
  await store.create(file, "", false);
  try {
    await store.link(file, name);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return judgeLinks({ refused: errnoOf(error), names: 1, isExclusive: true });
  }
  const isExclusive = await store.link(file, name).then(
    () => false,
    (error) => isErrno(error, "EEXIST"),
  );
  return judgeLinks({ refused: undefined, names: fs.statSync(file).nlink, isExclusive });
}

export function judgeLinks(linking: LinkResult): Judgement {
  const { refused, names, isExclusive } = linking;
  if (refused !== undefined) {
    return {
      verdict: "warning",
      found: `the file system has no hard links (${refused})`,
      means: "the locks of jobs are directories instead, which is safe and a little slower",
      measured: linking,
    };
  }
  if (!isExclusive) {
    return {
      verdict: "bad",
      found: "the file system did not refuse a second link to the same name",
      means: "two workers can hold the lock of a job at once, so do not put a project here",
      measured: linking,
    };
  }
  if (names !== 2) {
    return {
      verdict: "warning",
      found: `a file with two names has a link count of ${names}`,
      means:
        "links may be copies here, but a second link to the same name is refused, and fjord needs no more",
      measured: linking,
    };
  }
  return {
    verdict: "ok",
    found: "a file can get a second name, and a name that exists is refused",
    means: "the lock of a job needs no file of its own",
    measured: linking,
  };
}
