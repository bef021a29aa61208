import { CANCELLED_NUMBER } from "./arrays.js";
import { type Evidence, gather, type Line, type Run } from "./evidence.js";

/** An accepted job, as the test knows it. A name that was submitted twice is listed twice. */
export interface Accepted {
  readonly job: string;
  /** Directory in which the job must end; undefined for any directory. */
  readonly ends?: "jobdone" | "jobfailed" | "jobcancelled";
  readonly retries?: number;
  /** Whether a person took the job out of the project, so that it must be nowhere. */
  readonly withdrawn?: boolean;
  /** Whether the job has ended and `fjord clean` has removed its file and logs. */
  readonly cleaned?: boolean;
  /**
   * Whether the job may have been cancelled while it waited, by a process that was killed before it wrote this to the
   * ledger.
   */
  readonly mayBeCancelled?: boolean;
}

export interface Known {
  readonly accepted: readonly Accepted[];
  /** The file to which every job writes a line at its start and at its end. Undefined if no job really ran. */
  readonly witness?: string | undefined;
  /** Whether all jobs have ended and all workers have been fired, so that nothing may be left. */
  readonly over: boolean;
  /**
   * Whether all workers are on this host. If so, a lost job is killed before it runs again, and two runs may not
   * overlap.
   */
  readonly oneHost?: boolean;
  /** Whether the disk was full. If so, any line may be torn, and lines next to a torn line may be missing. */
  readonly wasFull?: boolean;
  /**
   * Whether processes were killed. If so, a temporary file without a job's name, or a probe of the store's time, may
   * stay in the queue for a day.
   */
  readonly hasKilled?: boolean;
  /**
   * Whether hosts mount the project by FUSE, which keeps a hidden file when an open file is removed (docs/network.md).
   */
  readonly hasFuse?: boolean;
}

export interface Violation {
  readonly check: string;
  readonly what: string;
}

/** An outcome that counts. An attempt has published it, or the dispatcher in place of the attempt. */
interface Published {
  readonly job: string;
  /** Identity of the attempt; empty if the job was refused without a run. */
  readonly run: string;
  /** Time when the job's file came to its directory, by the store's clock; 0 if no line has this time. */
  readonly at: number;
  /** Number of the attempt; 0 if the job was refused without a run. */
  readonly attempt: number;
  readonly to: string;
  readonly kind: string;
}

interface Case extends Evidence {
  readonly known: Known;
  readonly jobs: ReadonlyMap<string, readonly Accepted[]>;
  /** The published outcomes of each job, one for each attempt and end, in the order of the attempts. */
  readonly published: ReadonlyMap<string, readonly Published[]>;
  readonly allPublished: readonly Published[];
}

type Check = (c: Case) => string[];

/** The directory of ended jobs that corresponds to a place. */
function roomOf(place: string): string {
  return place === CANCELLED_NUMBER ? "jobcancelled" : place;
}

/** A temporary file in the queue (docs/protocol.md, S1). */
const ABANDONED = /^jobqueue\/\.[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.tmp$/;

const FINAL = new Set(["jobdone", "jobfailed", "jobcancelled"]);
/** Seconds by which two readings of `/proc/uptime`, which counts hundredths, may be wrong. */
const RESOLUTION = 0.03;

/** The invariants of the protocol, by name. Each check returns the facts that contradict it. */
export const CHECKS: Readonly<Record<string, Check>> = {
  "every accepted job is in exactly one place": ({ jobs, places }) =>
    [...jobs].flatMap(([job, submissions]) => {
      const where = places.get(job) ?? [];
      const right = submissions[0]?.withdrawn || submissions.at(-1)?.cleaned ? 0 : 1;
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
          if (right === undefined || where.includes(right) || submissions.at(-1)?.cleaned) return [];
          return where[0] === "jobfailed" && wasDenied(lines, job) ? [] : [`${job}: ${where}, not ${right}`];
        })
      : [],

  "at most one outcome is published for an attempt": ({ allPublished }) =>
    repeated(
      allPublished.filter((p) => p.attempt > 0).map((p) => `${p.job} attempt ${p.attempt} (${p.run})`),
    ),

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
    repeated(
      lines.filter((l) => l.event === "started").map((l) => `${l.job} attempt ${l.attempt} (${runOf(l)})`),
    ),

  "an identity of a run is given once": ({ lines }) =>
    repeated(lines.flatMap(({ event, run }) => (event === "started" && run !== undefined ? [run] : []))),

  "a job is given up for failures of its own file": ({ lines }) => {
    const failed = lines.filter((l) => l.event === "ended" && l.to === "retry" && isFailure(l));
    return lines.flatMap((line) => {
      if (line.event !== "retry" || line.to !== "jobfailed" || line.stamp === undefined) return [];
      const said = Number(/^all (\d+) attempts/.exec(line.reason ?? "")?.[1] ?? 0);
      const files = filesOf(line, failed);
      const own = failed.filter((l) => l.job === line.job && files.has(fileOf(l)));
      return own.length >= said ? [] : [`${line.job}: ${said} failures, ${own.length} of them of its file`];
    });
  },

  "a worker's id is given once": ({ lines }) =>
    repeated(lines.filter((l) => l.event === "hired").map((l) => String(l.worker))),

  "in the end every attempt that was started has an end": ({ known, lines }) =>
    known.over && !known.wasFull
      ? lines
          .filter((line) => line.event === "started")
          .filter((s) => !lines.some((l) => isSameRun(l, s) && ENDS.has(l.event)))
          .map((s) => `${s.job} attempt ${s.attempt} by ${s.worker}`)
      : [],

  "no attempt follows the final outcome": ({ jobs, lines, published, runs }) =>
    [...jobs].flatMap(([job, submissions]) => {
      const finals = (published.get(job) ?? []).filter((p) => FINAL.has(p.to));
      const last = finals.length < submissions.length ? undefined : finals.at(-1);
      // A refusal does not say how many attempts came before it. If the store denied the file, there may have been
      // attempts.
      if (last === undefined || (last.kind === "refused" && wasDenied(lines, job))) return [];
      return (
        lines
          .filter((l) => l.event === "started" && l.job === job && isAfter(l, last))
          // Skip an attempt that is only recorded. Its worker noticed that it was too late, and did not begin the
          // attempt.
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
    ).concat(
      [...groupBy(runs, (run) => `${run.job} attempt ${run.attempt}`)]
        .filter(
          ([, all]) =>
            all.length >
            Math.max(1, lines.filter((l) => l.event === "started" && isRunOf(all[0] as Run, l)).length),
        )
        .map(([name]) => name),
    ),

  "runs of a job overlap only where the first was lost": ({ runs, lines, known }) =>
    overlaps(runs)
      .filter(([first]) => known.oneHost || !lines.some((l) => l.event === "lost" && isRunOf(first, l)))
      .map(([a, b]) => `${a.job}: attempt ${a.attempt} until ${a.end}, ${b.attempt} from ${b.start}`),

  "in the end nothing is left behind": ({ known, litter, desks, announced }) =>
    known.over
      ? [
          ...litter
            .filter((path) => !known.hasKilled || !ABANDONED.test(path))
            .filter((path) => !known.hasFuse || !path.includes("/.fuse_hidden")),
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

/** Judges a project. An empty list means that every invariant holds. */
export function check(root: string, known: Known): Violation[] {
  return judge(gather(root, known.witness), known);
}

export function judge(evidence: Evidence, known: Known): Violation[] {
  const jobs = groupBy(known.accepted, ({ job }) => job);
  const allPublished = publishedBy(withoutRepeats(evidence.lines));
  const published = groupBy(allPublished, ({ job }) => job);
  for (const all of published.values()) all.sort((a, b) => a.at - b.at || a.attempt - b.attempt);
  const c: Case = { ...evidence, known, jobs, published, allPublished };
  return Object.entries(CHECKS).flatMap(([name, find]) => find(c).map((what) => ({ check: name, what })));
}

/**
 * Removes repeated `ended` lines. A writer repeats a line unchanged when it does not know whether the first is on the
 * disk.
 */
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
 * Selects the outcomes that count. An `ended` counts unless its own ledger discards it or a dispatcher's ledger
 * declares the attempt lost. A final decision of a dispatcher counts as the outcome of the attempt that it ends. A
 * dispatcher that was killed in between writes the decision twice, and the two lines are one decision.
 */
function publishedBy(lines: readonly Line[]): Published[] {
  const published: Published[] = [];
  const decided = new Map<string, Published>();
  const revoked = new Set(
    lines.filter(({ event }) => event === "discarded" || event === "lost").map((l) => `${l.job} ${runOf(l)}`),
  );
  for (const line of lines) {
    const { job = "", attempt = 0, to = "", event } = line;
    const which = { job, attempt, run: runOf(line), at: atOf(line), to };
    if (event === "ended" && !revoked.has(`${job} ${which.run}`)) {
      published.push({ ...which, kind: line.outcome?.kind ?? "" });
    } else if (event === "refused") {
      decided.set(`${job} refused`, { ...which, attempt: 0, run: "", to: "jobfailed", kind: "refused" });
    } else if (event === "lost" && to === "jobfailed") {
      decided.set(`${job} lost ${which.run}`, { ...which, kind: "lost" });
    } else if (event === "retry" && to === "jobfailed") {
      decided.set(`${job} ${attempt} ${fileOf(line)}`, { ...which, kind: "given-up" });
    }
  }
  // The rename after a refusal may fail, too. If the file can be read again later, the job may have run.
  for (const [key, { job }] of decided) {
    if (key !== `${job} refused`) continue;
    const hasEnded = published.some((p) => p.job === job && FINAL.has(p.to));
    if (hasEnded && wasDenied(lines, job)) decided.delete(key);
  }
  // The attempt's own outcome was "to the retry desk". The decision replaces that outcome.
  for (const decision of decided.values()) {
    const own = published.findLastIndex(
      (p) =>
        p.job === decision.job &&
        p.attempt === decision.attempt &&
        p.to === "retry" &&
        (decision.at === 0 || p.at <= decision.at),
    );
    if (own >= 0) published[own] = { ...(published[own] as Published), to: decision.to };
    else published.push(decision);
  }
  return published;
}

/** Whether a job was refused because the store denied its file for a while. */
function wasDenied(lines: readonly Line[], of: string): boolean {
  return lines.some(
    ({ event, job, reason }) => event === "refused" && job === of && reason?.includes("permission denied"),
  );
}

function isRunOf(run: Run, of: { job?: string; attempt?: number }): boolean {
  return run.job === of.job && run.attempt === of.attempt;
}

function isSameRun(a: Line, b: Line): boolean {
  return a.job === b.job && runOf(a) === runOf(b);
}

/** The identity of a run. Lines of older versions have only the attempt's number (docs/ledger.md). */
function runOf({ run, attempt }: Line): string {
  return run ?? String(attempt);
}

/** The inode and the birth or modification time of a job's file, from its stamp. */
function fileOf({ stamp = "" }: Line): string {
  const [ino = "", modified = "", , born = modified] = stamp.split(":");
  return `${ino} ${born}`;
}

/** The file of a decision, and the files that it replaced while they ran. */
function filesOf(decision: Line, ends: readonly Line[]): Set<string> {
  const files = new Set([fileOf(decision)]);
  for (const file of files) {
    for (const end of ends) {
      if (end.job === decision.job && fileOf(end) === file && end.claimed !== undefined) {
        files.add(fileOf({ ...end, stamp: end.claimed }));
      }
    }
  }
  return files;
}

/** The change time in a stamp, in ms; 0 if there is none. */
function atOf({ stamp = "" }: Line): number {
  return Number(stamp.split(":")[2] ?? 0);
}

function isAfter(line: Line, end: Published): boolean {
  const at = atOf(line);
  return at > 0 && end.at > 0 ? at > end.at : (line.attempt ?? 0) > end.attempt;
}

function isFailure({ outcome }: Line): boolean {
  return outcome?.kind === "failed" || outcome?.kind === "timed-out";
}

function isDiscarded(lines: readonly Line[], attempt: Line): boolean {
  return lines.some((line) => line.event === "discarded" && isSameRun(line, attempt));
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
