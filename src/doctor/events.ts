import fs from "node:fs";
import path from "node:path";
import { Doorbell } from "../store/doorbell.js";
import { formatMs, type Judgement } from "./finding.js";
import { areTwoHosts, type TestContext } from "./test-context.js";

/** Longest time to wait for an event, in ms. */
const PATIENCE = 3_000;

export interface EventDelay {
  readonly kind: "local" | "network";
  /** Time from the request to make a file until the event, in ms; null when no event arrived. */
  readonly heard: number | null;
  readonly twoHosts: boolean;
}

/** The other process makes a file. This process waits for the event, as a dispatcher does. */
export async function testEvents(context: TestContext): Promise<Judgement> {
  const { store, scratch, remote, settings } = context;
  const facts = { kind: store.kind, twoHosts: areTwoHosts(context) };
  if (store.kind === "network") return judgeEvents({ ...facts, heard: null }, settings.poll);
  const dir = path.join(scratch, "bell");
  fs.mkdirSync(dir);
  let ring: () => void = () => undefined;
  const rung = new Promise<void>((resolve) => {
    ring = resolve;
  });
  const bell = new Doorbell(store, () => ring());
  const over = new AbortController();
  try {
    await bell.listen(dir);
    const begin = performance.now();
    const inVain = store.clock.sleep(PATIENCE, over.signal).then(() => null);
    const made = remote.make("bell/file");
    const heard = await Promise.race([rung.then(() => performance.now() - begin), inVain]);
    await made;
    return judgeEvents({ ...facts, heard }, settings.poll);
  } finally {
    over.abort();
    await bell.stop();
  }
}

export function judgeEvents(hearing: EventDelay, poll: number): Judgement {
  const { kind, heard, twoHosts } = hearing;
  const polls = `fjord polls every ${formatMs(poll * 1000)}`;
  if (kind === "network") {
    return {
      verdict: "ok",
      found: "fjord does not use events on a network file system, because changes of other hosts cause none",
      means: polls,
      measured: hearing,
    };
  }
  if (heard === null) {
    return {
      verdict: "warning",
      found: `no event arrived within ${formatMs(PATIENCE)} after ${twoHosts ? "the other host" : "the other process"} made a file`,
      means: `${polls}, so a job may start that much later`,
      measured: hearing,
    };
  }
  return {
    verdict: "ok",
    found: `an event reported a file of the other process after ${formatMs(heard)}`,
    means: "a new job starts at once",
    measured: hearing,
  };
}
