import { errnoOf } from "../spool/errno.js";
import { isSystemError } from "../spool/store.js";
import { readClocks } from "./clocks.js";
import { seeChanges } from "./delays.js";
import { hear } from "./events.js";
import { readFileSystem } from "./file-system.js";
import type { Finding, Judgement } from "./finding.js";
import { link } from "./links.js";
import { holdAgainst } from "./locks.js";
import { tryPermissions } from "./permissions.js";
import { raceToCreate, raceToRename } from "./races.js";
import { replaceWhileRead } from "./replacing.js";
import { readRoom } from "./room.js";
import type { Site } from "./site.js";

const TESTS: readonly (readonly [name: string, test: (site: Site) => Promise<Judgement>])[] = [
  ["file system", readFileSystem],
  ["space", readRoom],
  ["permissions", tryPermissions],
  ["exclusive create", raceToCreate],
  ["rename: one winner", raceToRename],
  ["rename: atomic", replaceWhileRead],
  ["hard links", link],
  ["locks of jobs", (site) => holdAgainst(site, "job")],
  ["dispatcher's lock", (site) => holdAgainst(site, "seat")],
  ["events", hear],
  ["caches", seeChanges],
  ["clocks", readClocks],
];

/**
 * All tests, one after the other. What the system refuses is a finding, while there are two to be refused.
 *
 * @throws SecondProcessLost
 */
export async function examine(site: Site): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [test, run] of TESTS) {
    site.signal.throwIfAborted();
    const judgement = await run(site).catch((error) => {
      if (site.signal.aborted || !isSystemError(error)) throw error;
      return refused(error);
    });
    await site.there.clock(); // one that goes takes the scratch with it: what was found meanwhile is its doing
    findings.push({ test, ...judgement });
  }
  return findings;
}

function refused(error: NodeJS.ErrnoException): Judgement {
  return {
    verdict: "bad",
    found: error.message,
    means: "fjord will be refused the same",
    measured: { error: errnoOf(error) },
  };
}
