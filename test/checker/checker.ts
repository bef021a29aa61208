import { CANCELLED_NUMBER } from "./arrays.js";
import { type Evidence, gather, type Line, type Run } from "./evidence.js";

/** A job that was accepted, as the test knows it. One that was submitted twice under its name is named twice. */
export interface Accepted {
  readonly job: string;
  /** Where it has to be in the end; any room if not said. */
  readonly ends?: "jobdone" | "jobfailed" | "jobcancelled";
  readonly retries?: number;
  /** Taken out of the project by hand: it has to be nowhere. */
  readonly withdrawn?: boolean;
  /** It may have been cancelled while it waited, by somebody who was killed before he could tell. */
  readonly mayBeCancelled?: boolean;
}

export interface Known {
  readonly accepted: readonly Accepted[];
  /** The file that every job writes a line to at its start and its end; undefined where no job really ran. */
  readonly witness?: string | undefined;
  /** All has ended and everybody was fired: nothing may be left. */
  readonly over: boolean;
  /** All workers are on this host, where a lost job is dead before it runs again: no two runs overlap at all. */
  readonly oneHost?: boolean;
  /** The disk was full: lines may be torn anywhere, and what the tear hid may be missing. */
  readonly wasFull?: boolean;
  /** Somebody was killed: what had no name of a job yet, or was to tell the store's time, stays in the queue for a day. */
  readonly hasKilled?: boolean;
}

export interface Violation {
  readonly check: string;
  readonly what: string;
}

/** An outcome that counts: what an attempt, or the dispatcher in its stead, published. */
interface Published {
  readonly job: string;
  /** 0 for what was refused without a run. */
  readonly attempt: number;
  readonly to: string;
  readonly kind: string;
}

interface Case extends Evidence {
  readonly known: Known;
  readonly jobs: ReadonlyMap<string, readonly Accepted[]>;
  /** By job: what was published, one for each attempt and end, in the order of attempts. */
  readonly published: ReadonlyMap<string, readonly Published[]>;
  readonly allPublished: readonly Published[];
}

type Check = (c: Case) => string[];

/** The end at which what is in a place has come. */
function roomOf(place: string): string {
  return place === CANCELLED_NUMBER ? "jobcancelled" : place;
}

/** docs/protocol.md, S1. */
const ABANDONED = /^jobqueue\/\.[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.tmp$/;

const FINAL = new Set(["jobdone", "jobfailed", "jobcancelled"]);
/** `/proc/uptime` counts hundredths, and two readings of it are two. */
const RESOLUTION = 0.03;

/** The invariants of the protocol, by name. Each gives what speaks against it. */
export const CHECKS: Readonly<Record<string, Check>> = {
  "every accepted job is in exactly one place": ({ jobs, places }) =>
    [...jobs].flatMap(([job, [first]]) => {
      const where = places.get(job) ?? [];
      const right = first?.withdrawn ? 0 : 1;
      return where.length === right ? [] : [`${job}: ${where.join(", ") || "nowhere"}`];
    }),

  "no job that nobody submitted": ({ jobs, places }) =>
    [...places.keys()].filter((job) => !jobs.has(job)).map((job) => `${job}: ${places.get(job)}`),

  "in the end no job waits or lies on a desk": ({ known, places }) =>
    known.over
      ? [...places].flatMap(([job, where]) =>
          where.filter((place) => !FINAL.has(roomOf(place))).map((place) => `${job}: ${place}`),
        )
      : [],

  "every job ends where it has to": ({ known, jobs, places, lines }) =>
    known.over
      ? [...jobs].flatMap(([job, submissions]) => {
          const right = submissions.at(-1)?.ends;
          const where = (places.get(job) ?? []).map(roomOf);
          if (right === undefined || where.includes(right)) return [];
          return where[0] === "jobfailed" && wasDenied(lines, job) ? [] : [`${job}: ${where}, not ${right}`];
        })
      : [],

  "at most one outcome is published for an attempt": ({ allPublished }) =>
    repeated(allPublished.filter((p) => p.attempt > 0).map((p) => `${p.job} attempt ${p.attempt}`)),

  "at most one final outcome for each submission": ({ jobs, published }) =>
    [...published].flatMap(([job, all]) => {
      const finals = all.filter((p) => FINAL.has(p.to));
      const submissions = jobs.get(job)?.length ?? 0;
      return finals.length <= submissions ? [] : [`${job}: ${told(finals)} for ${submissions}`];
    }),

  "every ended job's room is what its last outcome says": ({ jobs, places, published, known }) =>
    known.wasFull
      ? []
      : [...places].flatMap(([job, where]) =>
          where
            .filter((place) => FINAL.has(place))
            .filter((place) => place !== "jobcancelled" || !jobs.get(job)?.at(-1)?.mayBeCancelled)
            .filter((place) => published.get(job)?.findLast((p) => FINAL.has(p.to))?.to !== place)
            .map((place) => `${job}: in ${place}, published ${told(published.get(job) ?? [])}`),
        ),

  "an attempt is started once": ({ lines }) =>
    repeated(lines.filter((l) => l.event === "started").map((l) => `${l.job} attempt ${l.attempt}`)),

  "a worker's id is given once": ({ lines }) =>
    repeated(lines.filter((l) => l.event === "hired").map((l) => String(l.worker))),

  "in the end every attempt that was started has an end": ({ known, lines }) =>
    known.over && !known.wasFull
      ? lines
          .filter((line) => line.event === "started")
          .filter((s) => !lines.some((l) => isSameAttempt(l, s) && ENDS.has(l.event)))
          .map((s) => `${s.job} attempt ${s.attempt} by ${s.worker}`)
      : [],

  "no attempt follows the final outcome": ({ jobs, lines, published, runs }) =>
    [...jobs].flatMap(([job, submissions]) => {
      const finals = (published.get(job) ?? []).filter((p) => FINAL.has(p.to));
      const last = finals.length < submissions.length ? undefined : finals.at(-1);
      // A refusal does not tell which attempt came before it, and where the store denies the file one may have.
      if (last === undefined || (last.kind === "refused" && wasDenied(lines, job))) return [];
      return (
        lines
          .filter((l) => l.event === "started" && l.job === job && (l.attempt ?? 0) > last.attempt)
          // One that was only told of, and not begun when its worker saw how late it was.
          .filter((l) => runs.some((run) => isRunOf(run, l)) || !isDiscarded(lines, l))
          .map((l) => `${job} attempt ${l.attempt} after ${told([last])}`)
      );
    }),

  "a job fails no oftener than its retries allow": ({ jobs, published }) =>
    [...jobs].flatMap(([job, submissions]) => {
      const allowed = submissions.reduce((sum, { retries }) => sum + (retries ?? 0) + 1, 0);
      const failed = (published.get(job) ?? []).filter((p) => p.kind === "failed" || p.kind === "timed-out");
      return failed.length <= allowed ? [] : [`${job}: ${failed.length} failures, ${allowed} allowed`];
    }),

  "a succeeded attempt has come to its end by its own witness": ({ known, allPublished, runs }) =>
    known.witness === undefined
      ? []
      : allPublished
          .filter((p) => p.kind === "succeeded")
          .filter((p) => !runs.some((run) => isRunOf(run, p) && run.end !== undefined))
          .map((p) => `${p.job} attempt ${p.attempt}`),

  "every job in jobdone has run to its end": ({ known, places, runs }) =>
    known.witness === undefined
      ? []
      : [...places]
          .filter(([, where]) => where.includes("jobdone"))
          .filter(([job]) => !runs.some((run) => run.job === job && run.end !== undefined))
          .map(([job]) => job),

  "no job that succeeded has left a checkpoint": ({ places, checkpoints }) =>
    checkpoints.filter((job) => places.get(job)?.includes("jobdone")),

  "every run stands in the ledger, and ran once": ({ runs, lines, known }) =>
    (known.wasFull
      ? []
      : runs
          .filter((run) => !lines.some((l) => l.event === "started" && isRunOf(run, l)))
          .map((run) => `${run.job} attempt ${run.attempt} is in no ledger`)
    ).concat(repeated(runs.map((run) => `${run.job} attempt ${run.attempt}`))),

  "runs of a job overlap only where the first was lost": ({ runs, lines, known }) =>
    overlaps(runs)
      .filter(([first]) => known.oneHost || !lines.some((l) => l.event === "lost" && isRunOf(first, l)))
      .map(([a, b]) => `${a.job}: attempt ${a.attempt} until ${a.end}, ${b.attempt} from ${b.start}`),

  "in the end nothing is left behind": ({ known, litter, desks, announced }) =>
    known.over
      ? [
          ...litter.filter((path) => !known.hasKilled || !ABANDONED.test(path)),
          ...desks.map((desk) => `desk ${desk}`),
          ...announced.map((name) => `announcement ${name}`),
        ]
      : litter.filter((path) => path.startsWith("workerqueue") && !path.endsWith(".tmp")),

  "a ledger's line is torn only where its writer died": ({ known, torn }) =>
    torn.filter((t) => !t.isLast && !known.wasFull).map((t) => `${t.ledger}: ${t.text}`),

  "in the end no process is left": ({ known, processes }) =>
    known.over ? processes.map(({ pid, command }) => `${pid} ${command}`) : [],
};

const ENDS = new Set(["ended", "lost", "discarded"]);

/** Judges a project; an empty list means that every invariant holds. */
export function check(root: string, known: Known): Violation[] {
  return judge(gather(root, known.witness), known);
}

export function judge(evidence: Evidence, known: Known): Violation[] {
  const jobs = groupBy(known.accepted, ({ job }) => job);
  const allPublished = publishedBy(withoutRepeats(evidence.lines));
  const published = groupBy(allPublished, ({ job }) => job);
  for (const all of published.values()) all.sort((a, b) => a.attempt - b.attempt);
  const c: Case = { ...evidence, known, jobs, published, allPublished };
  return Object.entries(CHECKS).flatMap(([name, find]) => find(c).map((what) => ({ check: name, what })));
}

/** An `ended` stands twice, word for word, where it was written again as it was not known to be on the disk. */
function withoutRepeats(lines: readonly Line[]): Line[] {
  const seen = new Set<string>();
  return lines.filter((line) => {
    if (line.event !== "ended") return true;
    const { index: _, t: __, ...said } = line;
    const text = JSON.stringify(said);
    return !seen.has(text) && seen.add(text);
  });
}

/**
 * An `ended` counts unless its own ledger discards it, or a dispatcher's declares the attempt lost. The dispatcher's
 * own final decisions count as the attempt's that they end; said twice (it was killed in between) they are one.
 */
function publishedBy(lines: readonly Line[]): Published[] {
  const published: Published[] = [];
  const decided = new Map<string, Published>();
  const revoked = new Set(
    lines
      .filter(({ event }) => event === "discarded" || event === "lost")
      .map((l) => `${l.job} ${l.attempt}`),
  );
  for (const line of lines) {
    const { job = "", attempt = 0, to = "", event } = line;
    if (event === "ended" && !revoked.has(`${job} ${attempt}`)) {
      published.push({ job, attempt, to, kind: line.outcome?.kind ?? "" });
    } else if (event === "refused") {
      decided.set(`${job} refused`, { job, attempt: 0, to: "jobfailed", kind: "refused" });
    } else if (event === "lost" && to === "jobfailed") {
      decided.set(`${job} ${attempt}`, { job, attempt, to, kind: "lost" });
    } else if (event === "retry" && to === "jobfailed") {
      decided.set(`${job} ${attempt}`, { job, attempt, to, kind: "given-up" });
    }
  }
  // The rename after a refusal may have been refused, too; what did so may have passed when the job was looked at again.
  for (const [key, { job }] of decided) {
    if (key !== `${job} refused`) continue;
    const hasEnded = published.some((p) => p.job === job && FINAL.has(p.to));
    if (hasEnded && wasDenied(lines, job)) decided.delete(key);
  }
  // The attempt's own outcome was "to the retry desk": the decision on it takes its place, not one beside it.
  for (const decision of decided.values()) {
    const own = published.findIndex(
      (p) => p.job === decision.job && p.attempt === decision.attempt && p.to === "retry",
    );
    if (own >= 0) published[own] = { ...(published[own] as Published), to: decision.to };
    else published.push(decision);
  }
  return published;
}

/** Its file could not be read, though twice, as the store denied it for a while. */
function wasDenied(lines: readonly Line[], of: string): boolean {
  return lines.some(
    ({ event, job, reason }) => event === "refused" && job === of && reason?.includes("permission denied"),
  );
}

function isRunOf(run: Run, of: { job?: string; attempt?: number }): boolean {
  return run.job === of.job && run.attempt === of.attempt;
}

function isSameAttempt(a: Line, b: Line): boolean {
  return a.job === b.job && a.attempt === b.attempt;
}

function isDiscarded(lines: readonly Line[], attempt: Line): boolean {
  return lines.some((line) => line.event === "discarded" && isSameAttempt(line, attempt));
}

function overlaps(runs: readonly Run[]): [Run, Run][] {
  const found: [Run, Run][] = [];
  for (const of of groupBy(runs, (run) => run.job).values()) {
    const inOrder = [...of].sort((a, b) => a.start - b.start);
    for (const [index, run] of inOrder.entries()) {
      for (const next of inOrder.slice(index + 1)) {
        if (run.end !== undefined && next.start < run.end - RESOLUTION) found.push([run, next]);
      }
    }
  }
  return found;
}

function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return groups;
}

function repeated(names: readonly string[]): string[] {
  return [...groupBy(names, (name) => name).values()].flatMap(([name = "", ...more]) =>
    more.length > 0 ? [name] : [],
  );
}

function told(published: readonly Published[]): string {
  return published.map((p) => `${p.attempt}: ${p.kind} to ${p.to}`).join("; ") || "nothing";
}
