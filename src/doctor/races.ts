import fs from "node:fs";
import path from "node:path";
import type { Judgement } from "./finding.js";
import { now, type PeerProcess, type RaceResult, type RaceTask } from "./peer-process.js";
import type { TestContext } from "./test-context.js";

/** Number of names in one race. */
const COUNT = 300;
/** Largest number of races. A race is repeated when one process had finished before the other began. */
const RACES = 5;
/** Time for the request to reach the other process, in ms. */
const HEAD_START = 20;
/** Endings of the new names in a race to rename. */
const WHO = { ours: "here", theirs: "there" } as const;

export interface CreateRace {
  readonly count: number;
  readonly ours: RaceResult;
  readonly theirs: RaceResult;
}

/** Both processes create the same names with O_EXCL. */
export async function raceToCreate(context: TestContext): Promise<Judgement> {
  return untilContested(async (dir) => {
    const [ours, theirs] = await raceBoth(context, dir, (peer, task) => peer.create(task));
    const race = { count: COUNT, ours, theirs };
    return { race, judgement: judgeCreateRace(race) };
  }, context);
}

export function judgeCreateRace(race: CreateRace): Judgement {
  const { twice, never, split, measured } = counts(race);
  const failed = errorsOf(race);
  if (failed !== "") {
    return {
      verdict: "bad",
      found: `creating files failed with ${failed}`,
      means: "nobody can submit jobs here",
      measured,
    };
  }
  if (twice > 0) {
    return {
      verdict: "bad",
      found: `both processes created ${twice} of ${race.count} names`,
      means: "two processes can write the same file at once, so do not put a project here",
      measured,
    };
  }
  if (never > 0) {
    return {
      verdict: "warning",
      found: `${never} of ${race.count} names were created, but both processes got an error`,
      means: "replies get lost, so fjord may report that a new job is already waiting",
      measured,
    };
  }
  return contested(race, {
    verdict: "ok",
    found: `each of ${race.count} names was created by one process (${split})`,
    means: "no file is overwritten",
    measured,
  });
}

export interface RenameRace extends CreateRace {
  /** Numbers of the files that have the new name after the race. */
  readonly arrived: { readonly ours: readonly number[]; readonly theirs: readonly number[] };
}

/** Both processes rename the same files, each to names of its own. */
export async function raceToRename(context: TestContext): Promise<Judgement> {
  return untilContested(async (dir) => {
    const at = path.join(context.scratch, dir);
    for (let n = 0; n < COUNT; n++) await context.store.create(path.join(at, String(n)), "", false);
    const [ours, theirs] = await raceBoth(context, dir, (peer, task, who) => peer.rename({ ...task, who }));
    const names = await context.store.list(at);
    const arrived = (who: string) =>
      names.filter((name) => name.endsWith(`.${who}`)).map((name) => Number.parseInt(name, 10));
    const race = {
      count: COUNT,
      ours,
      theirs,
      arrived: { ours: arrived(WHO.ours), theirs: arrived(WHO.theirs) },
    };
    return { race, judgement: judgeRenameRace(race) };
  }, context);
}

export function judgeRenameRace(race: RenameRace): Judgement {
  const { split, measured } = counts(race);
  const { ours, theirs } = race.arrived;
  const mine = new Set(ours);
  const twice = theirs.filter((n) => mine.has(n)).length;
  const lost = race.count - new Set([...ours, ...theirs]).size;
  const wrong = wrongReplies(race.ours, ours) + wrongReplies(race.theirs, theirs);
  const failed = errorsOf(race);
  const bad = (found: string, means: string): Judgement => ({ verdict: "bad", found, means, measured });
  if (failed !== "") return bad(`renaming files failed with ${failed}`, "the dispatcher cannot assign jobs");
  if (twice > 0) {
    return bad(
      `${twice} of ${race.count} files went to both processes`,
      "a job could have two outcomes, so do not put a project here",
    );
  }
  if (lost > 0)
    return bad(`${lost} of ${race.count} files were lost`, "jobs get lost, so do not put a project here");
  if (wrong > 0) {
    return {
      verdict: "warning",
      found: `each of ${race.count} files went to one process, but ${wrong} replies were wrong`,
      means: "replies get lost, as on NFS, so fjord checks whether a file has arrived",
      measured,
    };
  }
  return contested(race, {
    verdict: "ok",
    found: `each of ${race.count} files went to one process (${split})`,
    means: "a job has one owner and one outcome",
    measured,
  });
}

/** Counts the renames whose reply does not match the directory after the race. */
function wrongReplies(run: RaceResult, arrived: readonly number[]): number {
  const won = new Set(run.won);
  const present = new Set(arrived);
  return [...won].filter((n) => !present.has(n)).length + arrived.filter((n) => !won.has(n)).length;
}

function counts({ count, ours, theirs }: CreateRace) {
  const mine = new Set(ours.won);
  const twice = theirs.won.filter((n) => mine.has(n)).length;
  return {
    twice,
    never: count - (mine.size + theirs.won.length - twice),
    split: `${mine.size} : ${theirs.won.length}`,
    measured: { names: count, ours: mine.size, theirs: theirs.won.length, both: twice },
  };
}

function errorsOf({ ours, theirs }: CreateRace): string {
  return [...new Set([...ours.errors, ...theirs.errors])].join(", ");
}

/** Turns a good verdict into a warning if one process won everything. Such a race proves nothing. */
function contested(race: CreateRace, good: Judgement): Judgement {
  if (isContested(race)) return good;
  return {
    ...good,
    verdict: "warning",
    found: `${good.found}, but the processes never ran at the same moment`,
    means: "this proves nothing. Try again when the host is less busy",
  };
}

function isContested({ ours, theirs }: CreateRace): boolean {
  return ours.won.length > 0 && theirs.won.length > 0;
}

async function untilContested(
  run: (dir: string) => Promise<{ race: CreateRace; judgement: Judgement }>,
  { scratch, signal }: TestContext,
): Promise<Judgement> {
  for (let n = 1; ; n++) {
    signal.throwIfAborted();
    const dir = path.basename(fs.mkdtempSync(path.join(scratch, "race-")));
    const { race, judgement } = await run(dir);
    if (isContested(race) || judgement.verdict === "bad" || n === RACES) return judgement;
  }
}

/** Lets both processes start a race at the same moment, each by its own clock. */
async function raceBoth(
  { local, remote, skew }: TestContext,
  dir: string,
  run: (peer: PeerProcess, task: RaceTask, who: string) => Promise<RaceResult>,
): Promise<[RaceResult, RaceResult]> {
  const at = now() + HEAD_START + 2 * skew.error;
  const theirs = run(remote, { dir, count: COUNT, at: at + skew.offset }, WHO.theirs);
  return Promise.all([run(local, { dir, count: COUNT, at }, WHO.ours), theirs]);
}
