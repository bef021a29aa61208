import { errnoOf } from "../store/errno.js";
import { isSystemError } from "../store/store.js";
import { testClocks } from "./clocks.js";
import { testDelays } from "./delays.js";
import { testEvents } from "./events.js";
import { testFileSystem } from "./file-system.js";
import type { Finding, Judgement } from "./finding.js";
import { testFreeSpace } from "./free-space.js";
import { testLinks } from "./links.js";
import { testLock } from "./locks.js";
import { testPermissions } from "./permissions.js";
import { raceToCreate, raceToRename } from "./races.js";
import { replaceWhileRead } from "./replacing.js";
import type { TestContext } from "./test-context.js";

const TESTS: readonly (readonly [name: string, test: (context: TestContext) => Promise<Judgement>])[] = [
  ["file system", testFileSystem],
  ["space", testFreeSpace],
  ["permissions", testPermissions],
  ["exclusive create", raceToCreate],
  ["rename: one winner", raceToRename],
  ["rename: atomic", replaceWhileRead],
  ["hard links", testLinks],
  ["locks of jobs", (context) => testLock(context, "job")],
  ["dispatcher's lock", (context) => testLock(context, "seat")],
  ["events", testEvents],
  ["caches", testDelays],
  ["clocks", testClocks],
];

/**
 * Runs all tests, one after the other. A system error becomes a finding, as long as the other process answers.
 *
 * @throws PeerLost
 */
export async function examine(context: TestContext): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [test, run] of TESTS) {
    context.signal.throwIfAborted();
    const judgement = await run(context).catch((error) => {
      if (context.signal.aborted || !isSystemError(error)) throw error;
      return refused(error);
    });
    // A peer that ends removes the scratch directory, and then the error says nothing about the file system.
    await context.remote.clock();
    findings.push({ test, ...judgement });
  }
  return findings;
}

function refused(error: NodeJS.ErrnoException): Judgement {
  return {
    verdict: "bad",
    found: error.message,
    means: "fjord will get the same error",
    measured: { error: errnoOf(error) },
  };
}
