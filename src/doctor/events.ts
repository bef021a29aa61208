import fs from "node:fs";
import path from "node:path";
import { Doorbell } from "../spool/doorbell.js";
import { formatMs, type Judgement } from "./finding.js";
import { areTwoHosts, type Site } from "./site.js";

/** Ms until an event is given up. */
const PATIENCE = 3_000;

export interface Hearing {
  readonly kind: "local" | "network";
  /** Ms after the other process had been asked to make a file; null: nothing was heard. */
  readonly heard: number | null;
  readonly twoHosts: boolean;
}

/** The other process makes a file; does this one's doorbell ring? */
export async function hear(site: Site): Promise<Judgement> {
  const { store, scratch, there, settings } = site;
  const facts = { kind: store.kind, twoHosts: areTwoHosts(site) };
  if (store.kind === "network") return judgeHearing({ ...facts, heard: null }, settings.poll);
  const dir = path.join(scratch, "bell");
  fs.mkdirSync(dir);
  let ring: () => void = () => undefined;
  const rung = new Promise<void>((resolve) => {
    ring = resolve;
  });
  const bell = new Doorbell(store, () => ring());
  let timer: NodeJS.Timeout | undefined;
  try {
    await bell.hang(dir);
    const begin = performance.now();
    const inVain = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, PATIENCE, null);
    });
    const made = there.make("bell/file");
    const heard = await Promise.race([rung.then(() => performance.now() - begin), inVain]);
    await made;
    return judgeHearing({ ...facts, heard }, settings.poll);
  } finally {
    clearTimeout(timer);
    await bell.stop();
  }
}

export function judgeHearing(hearing: Hearing, poll: number): Judgement {
  const { kind, heard, twoHosts } = hearing;
  const looks = `fjord looks every ${formatMs(poll * 1000)}`;
  if (kind === "network") {
    return {
      verdict: "ok",
      found: "not listened for on a network file system: other hosts' changes make none",
      means: looks,
      measured: hearing,
    };
  }
  if (heard === null) {
    return {
      verdict: "warning",
      found: `no event within ${formatMs(PATIENCE)} of a file that ${twoHosts ? "the other host" : "another process"} made`,
      means: `a job starts up to ${formatMs(poll * 1000)} later than it might: ${looks}`,
      measured: hearing,
    };
  }
  return {
    verdict: "ok",
    found: `a file that another process made was heard of after ${formatMs(heard)}`,
    means: "a job that is dropped in starts at once",
    measured: hearing,
  };
}
