import fs from "node:fs";
import path from "node:path";
import type { Judgement } from "./finding.js";
import { now, type Run } from "./party.js";
import type { Site } from "./site.js";

/** Names that are raced for at a time. */
const COUNT = 300;
/** So often a race is run again in which one process had done everything before the other began. */
const RACES = 5;
/** Time, ms, for the other process to hear of it. */
const HEAD_START = 20;
const WHO = { ours: "here", theirs: "there" } as const;

export interface CreateRace {
  readonly count: number;
  readonly ours: Run;
  readonly theirs: Run;
}

/** Two processes create the same names exclusively. */
export async function raceToCreate(site: Site): Promise<Judgement> {
  return untilContested(async (dir) => {
    const [ours, theirs] = await both(site, dir, (party, task) => party.create(task));
    const race = { count: COUNT, ours, theirs };
    return { race, judgement: judgeCreateRace(race) };
  }, site);
}

export function judgeCreateRace(race: CreateRace): Judgement {
  const { twice, never, split, measured } = counts(race);
  const failed = errorsOf(race);
  if (failed !== "") {
    return {
      verdict: "bad",
      found: `failed: ${failed}`,
      means: "jobs cannot be put into the queue",
      measured,
    };
  }
  if (twice > 0) {
    return {
      verdict: "bad",
      found: `${twice} of ${race.count} names were given to both processes`,
      means: "what two processes write at once is mixed up or lost: no place for a project",
      measured,
    };
  }
  if (never > 0) {
    return {
      verdict: "warning",
      found: `of ${race.count} names, ${never} were made and both processes were told they had not`,
      means: "answers get lost: a job may be said to wait already that was just put in",
      measured,
    };
  }
  return contested(race, {
    verdict: "ok",
    found: `each of ${race.count} names went to one of two processes (${split})`,
    means: "nothing is written over",
    measured,
  });
}

export interface RenameRace extends CreateRace {
  /** The numbers whose new name is there afterwards. */
  readonly arrived: { readonly ours: readonly number[]; readonly theirs: readonly number[] };
}

/** Two processes rename the same files, each to a name of its own. */
export async function raceToRename(site: Site): Promise<Judgement> {
  return untilContested(async (dir) => {
    const at = path.join(site.scratch, dir);
    for (let n = 0; n < COUNT; n++) await site.store.create(path.join(at, String(n)), "", false);
    const [ours, theirs] = await both(site, dir, (party, task, who) => party.rename({ ...task, who }));
    const names = await site.store.list(at);
    const arrived = (who: string) =>
      names.filter((name) => name.endsWith(`.${who}`)).map((name) => Number.parseInt(name, 10));
    const race = {
      count: COUNT,
      ours,
      theirs,
      arrived: { ours: arrived(WHO.ours), theirs: arrived(WHO.theirs) },
    };
    return { race, judgement: judgeRenameRace(race) };
  }, site);
}

export function judgeRenameRace(race: RenameRace): Judgement {
  const { split, measured } = counts(race);
  const { ours, theirs } = race.arrived;
  const mine = new Set(ours);
  const twice = theirs.filter((n) => mine.has(n)).length;
  const lost = race.count - new Set([...ours, ...theirs]).size;
  const lies = untold(race.ours, ours) + untold(race.theirs, theirs);
  const failed = errorsOf(race);
  const bad = (found: string, means: string): Judgement => ({ verdict: "bad", found, means, measured });
  if (failed !== "") return bad(`failed: ${failed}`, "jobs cannot be handed out");
  if (twice > 0) {
    return bad(
      `${twice} of ${race.count} files went to both processes`,
      "a job could have two outcomes: no place for a project",
    );
  }
  if (lost > 0)
    return bad(`${lost} of ${race.count} files were lost`, "jobs get lost: no place for a project");
  if (lies > 0) {
    return {
      verdict: "warning",
      found: `each of ${race.count} files went to one process, and ${lies} answers were wrong`,
      means: "answers get lost, as on NFS: fjord looks whether the file has arrived",
      measured,
    };
  }
  return contested(race, {
    verdict: "ok",
    found: `each of ${race.count} files went to one of two processes (${split})`,
    means: "a job has one owner and one outcome",
    measured,
  });
}

/** Renames that came otherwise than was told. */
function untold(run: Run, arrived: readonly number[]): number {
  const told = new Set(run.won);
  const there = new Set(arrived);
  return [...told].filter((n) => !there.has(n)).length + arrived.filter((n) => !told.has(n)).length;
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

/** A race in which one process was alone on the track proves nothing. */
function contested(race: CreateRace, good: Judgement): Judgement {
  if (isContested(race)) return good;
  return {
    ...good,
    verdict: "warning",
    found: `${good.found}, but never at the same moment`,
    means: "not proved: try again when the host has less to do",
  };
}

function isContested({ ours, theirs }: CreateRace): boolean {
  return ours.won.length > 0 && theirs.won.length > 0;
}

async function untilContested(
  run: (dir: string) => Promise<{ race: CreateRace; judgement: Judgement }>,
  { scratch, signal }: Site,
): Promise<Judgement> {
  for (let n = 1; ; n++) {
    signal.throwIfAborted();
    const dir = path.basename(fs.mkdtempSync(path.join(scratch, "race-")));
    const { race, judgement } = await run(dir);
    if (isContested(race) || judgement.verdict === "bad" || n === RACES) return judgement;
  }
}

type Task = { dir: string; count: number; at: number };

/** Both start at the same moment, each by its own clock. */
async function both(
  { here, there, skew }: Site,
  dir: string,
  run: (party: Site["here"], task: Task, who: string) => Promise<Run>,
): Promise<[Run, Run]> {
  const at = now() + HEAD_START + 2 * skew.error;
  const theirs = run(there, { dir, count: COUNT, at: at + skew.offset }, WHO.theirs);
  return Promise.all([run(here, { dir, count: COUNT, at }, WHO.ours), theirs]);
}
