import { type Dependency, formatAfter } from "../job/after.js";
import { formatDuration } from "../job/duration.js";
import { describeOutcome } from "../job/outcome.js";
import { visible } from "../job/quote.js";
import type { AttemptRecord, Cancellation } from "./attempts.js";
import type { JobPlace, JobState } from "./jobs.js";
import type { WorkerStatus } from "./status.js";

/** One reason why a job is where it is, and what to do about it. */
export interface Reason {
  readonly kind:
    | "invalid"
    | "unsettled"
    | "after"
    | "circle"
    | "nobody-dispatches"
    | "no-worker"
    | "none-free"
    | "in-array"
    | "not-first"
    | "namesake"
    | "on-desk"
    | "held"
    | "backing-off"
    | "running"
    | "worker-dead"
    | "succeeded"
    | "failed"
    | "refused"
    | "cancelled"
    | "next";
  /** A sentence. */
  readonly text: string;
  /** A command, or what else to do. */
  readonly todo?: string;
}

/** All that has a say in why a job is where it is. */
export interface JobFacts {
  readonly place: JobPlace;
  /** Of a file that waits: whether a dispatcher would take it. */
  readonly file:
    | { readonly kind: "valid"; readonly after: readonly Dependency[]; readonly retries: number }
    | { readonly kind: "invalid"; readonly reason: string }
    | { readonly kind: "unsettled" | "gone" };
  /** States of the jobs that it is to run after; undefined for one that is not there. */
  readonly dependencies: ReadonlyMap<string, JobState | undefined>;
  /** If it waits for itself: the jobs each of which is to run after the next, from this one back to it. */
  readonly circle: readonly string[] | undefined;
  readonly isDispatched: boolean;
  readonly workers: readonly WorkerStatus[];
  /**
   * How many jobs of the queue are handed out before this one, and at most how many if it has come back, which its time of
   * submission does not tell; undefined where that would take long to find out.
   */
  readonly before: number | undefined;
  readonly queued: number;
  /** Of numbers of an array that are no jobs yet: how many become jobs before the first of them. */
  readonly beforeInArray: number | undefined;
  /** Where another job of its name is, that goes first. */
  readonly namesake: JobState | undefined;
  readonly attempts: readonly AttemptRecord[];
  readonly refusal: string | undefined;
  readonly cancellation: Cancellation | undefined;
  /** Seconds that it waits between the end of its last attempt and the next. */
  readonly backoff: number;
  /** Where its last attempt ran, or runs. */
  readonly directory: string | undefined;
  /** The last line that its last attempt printed. */
  readonly lastLine: string;
  /** Of a job that was cancelled as another did not succeed: that one, or the one for which that was cancelled; else itself. */
  toRetry(job: string): string;
  /** A command as it is to be typed for this project. */
  toType(command: string): string;
}

/** Why a job is where it is, the weightiest reason first. Pure. */
export function explain(facts: JobFacts): Reason[] {
  const { state } = facts.place;
  switch (state) {
    case "waiting":
      return facts.place.worker === undefined ? whyQueued(facts) : whyOnDesk(facts, facts.place.worker);
    case "held":
      return [
        {
          kind: "held",
          text: "Somebody holds it back.",
          todo: facts.toType(`fjord release ${facts.place.job}`),
        },
      ];
    case "running":
      return whyRunning(facts);
    case "retrying":
      return whyRetrying(facts);
    case "done":
      return [{ kind: "succeeded", text: succeeded(facts.attempts.at(-1)) }];
    case "failed":
      return whyFailed(facts);
    case "cancelled":
      return whyCancelled(facts);
    default: {
      const unknown: never = state;
      throw new Error(`unknown state: ${unknown}`);
    }
  }
}

function whyQueued(facts: JobFacts): Reason[] {
  const { file, namesake, place, beforeInArray, circle } = facts;
  if (file.kind === "invalid") {
    const text = `It will be refused: ${visible(file.reason)}`;
    return [{ kind: "invalid", text, todo: "mend the file, or remove it" }];
  }
  const reasons: Reason[] = [];
  if (beforeInArray !== undefined) {
    const before = beforeInArray === 0 ? "" : `; ${beforeInArray} others come before`;
    const text = `Elements of ${visible(place.numbers?.array ?? "")} become jobs as workers need them${before}.`;
    reasons.push({ kind: "in-array", text });
  }
  if (file.kind === "unsettled") {
    reasons.push({ kind: "unsettled", text: "Its file is still being written, or has only just come." });
  }
  if (circle !== undefined) {
    const text = `It waits for itself: ${circle.map(visible).join(" runs after ")}.`;
    reasons.push({
      kind: "circle",
      text,
      todo: `take "after" out of one of them: fjord edit ${visible(place.job)}`,
    });
  }
  if (file.kind === "valid") reasons.push(...whyAfter(file.after, facts));
  if (namesake !== undefined) {
    const what = namesake === "running" ? "runs" : `is ${namesake}`;
    reasons.push({ kind: "namesake", text: `Another job of its name ${what}, and goes first.` });
  }
  if (beforeInArray !== undefined) return [...reasons.reverse(), ...whyNobody(facts)];
  if (reasons.length > 0) return [...reasons, ...whyNobody(facts).filter(({ kind }) => kind !== "none-free")];
  return [...whyNotFirst(facts), ...whyNobody(facts)];
}

function whyAfter(after: readonly Dependency[], { dependencies, toRetry, toType }: JobFacts): Reason[] {
  return after.flatMap(({ job, on }): Reason[] => {
    const state = dependencies.get(job);
    const name = visible(job);
    if (state === "done" || (on === "any" && (state === "failed" || state === "cancelled"))) return [];
    const text = `It is to run after ${visible(formatAfter([{ job, on }]))}, `;
    if (state === undefined) {
      return [
        {
          kind: "after",
          text: `${text}and there is no such job.`,
          todo: "submit that one, or edit this one",
        },
      ];
    }
    if (state === "failed" || state === "cancelled") {
      return [
        {
          kind: "after",
          text: `${text}which is ${state}.`,
          todo: toType(`fjord retry ${visible(toRetry(job))}`),
        },
      ];
    }
    const todo = state === "held" ? { todo: toType(`fjord release ${name}`) } : {};
    return [{ kind: "after", text: `${text}which is ${state}.`, ...todo }];
  });
}

function whyNotFirst({ before, queued, workers, attempts }: JobFacts): Reason[] {
  if (before === undefined) {
    return [{ kind: "not-first", text: `${queued - 1} other jobs wait in the queue.` }];
  }
  if (before > 0) {
    const jobs = before === 1 ? "1 job" : `${before} jobs`;
    if (attempts.length > 0) {
      const text = `It has come back, behind what waited by then: at most ${jobs} before it in the queue.`;
      return [{ kind: "not-first", text }];
    }
    const are = before === 1 ? "1 job is" : `${jobs} are`;
    const why = "their priority is higher, or they came earlier";
    return [{ kind: "not-first", text: `${are} before it in the queue: ${why}.` }];
  }
  return workers.some(({ state }) => state === "idle") ? [{ kind: "next", text: "It is the next one." }] : [];
}

/** Nobody hands out, nobody takes. */
function whyNobody({ isDispatched, workers, toType }: JobFacts): Reason[] {
  const reasons: Reason[] = [];
  if (!isDispatched)
    reasons.push({ kind: "nobody-dispatches", text: "Nobody dispatches.", todo: toType("dispatcher") });
  const alive = workers.filter(({ state }) => state !== "dead");
  const takers = alive.filter(({ state }) => state === "idle" || state === "busy");
  if (takers.length === 0) {
    const leaving = alive.filter(({ state }) => state === "leaving").length;
    const stalled = alive.length - leaving;
    const but = [
      ...(leaving > 0 ? [`${leaving} are leaving`] : []),
      ...(stalled > 0 ? [`${stalled} have trouble with the directory, such as a full disk`] : []),
    ];
    const text = `No worker is on duty${but.length > 0 ? ` that takes jobs: ${but.join(", ")}` : ""}.`;
    const todo =
      stalled > 0 ? "make room there (df), or mend what their daemonlogs say" : toType("recruiter hire");
    reasons.push({ kind: "no-worker", text, todo });
  } else if (takers.every(({ state }) => state === "busy")) {
    const what = takers.length === 1 ? "The worker is busy" : `All ${takers.length} workers are busy`;
    reasons.push({ kind: "none-free", text: `${what}.`, todo: `wait, or ${toType("recruiter hire")}` });
  }
  return reasons;
}

function whyOnDesk(facts: JobFacts, worker: string): Reason[] {
  const holder = facts.workers.find((one) => one.worker === worker);
  if (holder?.state === "dead") return whyDead(facts, worker);
  const runs = holder?.job?.name;
  const behind = runs === undefined ? "" : `, behind ${visible(runs)}`;
  return [{ kind: "on-desk", text: `It has been handed to ${worker}${behind}.` }];
}

function whyDead({ isDispatched, toType }: JobFacts, worker: string): Reason[] {
  const text = `Its worker ${worker} is dead.`;
  if (isDispatched)
    return [{ kind: "worker-dead", text: `${text} The dispatcher takes it back in a moment.` }];
  return [
    { kind: "worker-dead", text: `${text} A dispatcher would take it back.`, todo: toType("dispatcher") },
  ];
}

function whyRunning(facts: JobFacts): Reason[] {
  const { job, worker = "" } = facts.place;
  const announcement = facts.workers.find((one) => one.worker === worker);
  if (announcement?.state === "dead") return whyDead(facts, worker);
  const since = announcement?.job?.name === job ? ` since ${announcement.job.started}` : "";
  const on = announcement === undefined ? worker : `${announcement.host} (${worker})`;
  const where = facts.directory === undefined ? "" : ` in ${visible(facts.directory)}`;
  return [
    { kind: "running", text: `It runs on ${on}${where}${since}.`, todo: facts.toType(`fjord log -f ${job}`) },
  ];
}

function whyRetrying(facts: JobFacts): Reason[] {
  const { attempts, backoff, file } = facts;
  const last = attempts.at(-1);
  const how = last?.outcome === undefined ? "failed" : `ended: ${describeOutcome(last.outcome)}`;
  const of = file.kind === "valid" ? ` of ${file.retries + 1}` : "";
  const until = last?.end === undefined ? "" : new Date(Date.parse(last.end) + backoff * 1000).toISOString();
  const wait =
    until === "" ? "" : `; it backs off for ${formatDuration(backoff)}, until ${until} by its worker's clock`;
  const text = `Attempt ${last?.attempt ?? "?"}${of} ${how}${wait}.`;
  return [{ kind: "backing-off", text }, ...whyNobody(facts).filter(({ kind }) => kind !== "none-free")];
}

function whyFailed({ place, attempts, refusal, directory, lastLine, toType }: JobFacts): Reason[] {
  const { job } = place;
  const last = attempts.at(-1);
  if (refusal !== undefined && last === undefined) {
    return [
      {
        kind: "refused",
        text: `It was refused: ${visible(refusal)}`,
        todo: `mend ${place.path}, then ${toType(`fjord retry ${job}`)}`,
      },
    ];
  }
  const how =
    last?.outcome === undefined
      ? "It failed"
      : `Its attempt ${last.attempt} ended: ${describeOutcome(last.outcome)}`;
  const where = directory === undefined ? "" : ` It ran in ${visible(directory)}.`;
  const printed = lastLine === "" ? "" : ` Its last line: ${visible(lastLine)}`;
  const code = last?.outcome?.kind === "failed" ? meaningOf(last.outcome.code) : "";
  return [
    {
      kind: "failed",
      text: `${how}.${code}${where}${printed}`,
      todo: `${toType(`fjord log ${job}`)}; ${toType(`fjord retry ${job}`)}`,
    },
  ];
}

/** What a shell means by an exit status of its own (POSIX 2.8.2). */
function meaningOf(code: number): string {
  if (code === 126)
    return " A shell says so of a file that is not executable, fjord of a workdir that cannot be entered.";
  if (code !== 127) return "";
  return " A shell says so of a program that is not there, or a script whose first line names one that is not, or ends as lines on Windows do.";
}

function whyCancelled({ place, attempts, cancellation, toRetry, toType }: JobFacts): Reason[] {
  const outcome = attempts.at(-1)?.outcome;
  const reason =
    cancellation?.reason ?? (outcome?.kind === "cancelled" ? outcome.reason : "nobody knows by whom");
  const todo = toType(`fjord retry ${toRetry(place.job)}`);
  return [{ kind: "cancelled", text: `It was cancelled: ${visible(reason)}.`, todo }];
}

function succeeded(last: AttemptRecord | undefined): string {
  if (last === undefined) return "It has succeeded.";
  const took = last.seconds === undefined ? "" : ` in ${formatDuration(last.seconds)}`;
  return `Attempt ${last.attempt} succeeded${took}${last.host === undefined ? "" : ` on ${last.host}`}.`;
}
