import type { RetryVerdict } from "../dispatcher/retry-judgement.js";
import { judge } from "../dispatcher/standing.js";
import { type Dependency, formatAfter } from "../job/after.js";
import { formatDuration } from "../job/duration.js";
import { describeOutcome } from "../job/outcome.js";
import { visible } from "../job/quote.js";
import { workerOf } from "../jobs/places.js";
import type { JobFacts, Reason } from "./job-facts.js";
import { whyCancelled, whyDone, whyFailed } from "./why-ended.js";

/** Reasons why a job is in its state, the most important one first. The function is pure. */
export function explain(facts: JobFacts): Reason[] {
  const { state } = facts.place;
  const worker = workerOf(facts.place);
  switch (state) {
    case "waiting":
      return worker === undefined ? whyQueued(facts) : whyOnDesk(facts, worker);
    case "held":
      return [whyHeld(facts)];
    case "running":
      return whyRunning(facts);
    case "retrying":
      return whyRetrying(facts);
    case "done":
      return [whyDone(facts)];
    case "failed":
      return [whyFailed(facts)];
    case "cancelled":
      return [whyCancelled(facts)];
    default:
      return state satisfies never;
  }
}

function whyHeld({ place, edit, toType }: JobFacts): Reason {
  const todo = toType(`fjord release ${place.job}`);
  if (edit === undefined) return { kind: "held", text: "It is held until somebody releases it.", todo };
  const { by, process, since, to, copy, holder } = edit;
  const who = `${visible(by)} edits it (process ${process.pid}, since ${visible(since)}).`;
  if (holder === "alive") return { kind: "held", text: who, todo: `end that editor, or ${todo}` };
  if (holder === "unknown") {
    return { kind: "held", text: who, todo: `if nobody edits it there any more: ${todo}` };
  }
  const after = to === "jobqueue" ? " A dispatcher puts it back." : " It was held before.";
  const typed = copy === "" ? "" : ` What was typed may be in ${visible(copy)}.`;
  return { kind: "held", text: `${who} That process is dead.${after}${typed}`, todo };
}

function whyQueued(facts: JobFacts): Reason[] {
  const { file, namesake, place, beforeInArray, circle } = facts;
  if (file.kind === "invalid") {
    const text = `It will be refused: ${visible(file.reason)}`;
    return [{ kind: "invalid", text, todo: "correct the file, or remove it" }];
  }
  const reasons: Reason[] = [];
  if (place.kind === "numbers" && beforeInArray !== undefined) {
    const before = beforeInArray === 0 ? "" : `; ${beforeInArray} others come before`;
    const text = `Elements of ${visible(place.numbers.array)} become jobs as workers need them${before}.`;
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
    reasons.push({ kind: "namesake", text: `Another job with the same name ${what}, and comes first.` });
  }
  if (beforeInArray !== undefined) return [...reasons.reverse(), ...whyNobody(facts)];
  if (reasons.length > 0) return [...reasons, ...whyNobody(facts).filter(({ kind }) => kind !== "none-free")];
  return [...whyNotFirst(facts), ...whyNobody(facts)];
}

function whyAfter(after: readonly Dependency[], { dependencies, toRetry, toType }: JobFacts): Reason[] {
  return after.flatMap((dependency): Reason[] => {
    const { job } = dependency;
    const { standing = "unknown", state } = dependencies.get(job) ?? {};
    const text = `It waits for ${visible(formatAfter([dependency]))}, `;
    const verdict = judge([dependency], () => standing);
    switch (verdict.kind) {
      case "free":
        return [];
      case "never":
        return [
          {
            kind: "after",
            text: `${text}which is ${state ?? "failed"}.`,
            todo: toType(`fjord retry ${visible(toRetry(job))}`),
          },
        ];
      case "waits": {
        if (state === undefined) {
          const todo = "submit that job, or edit this one";
          return [{ kind: "after", text: `${text}but there is no job of that name.`, todo }];
        }
        const todo = state === "held" ? { todo: toType(`fjord release ${visible(job)}`) } : {};
        return [{ kind: "after", text: `${text}which is ${state}.`, ...todo }];
      }
      default:
        return verdict satisfies never;
    }
  });
}

function whyNotFirst({ before, queued, workers, attempts }: JobFacts): Reason[] {
  if (before === undefined) {
    return [{ kind: "not-first", text: `${queued - 1} other jobs wait in the queue.` }];
  }
  if (before > 0) {
    const jobs = before === 1 ? "1 job" : `${before} jobs`;
    if (attempts.length > 0) {
      const text = `It went back to the queue, behind the jobs that waited then: at most ${jobs} before it.`;
      return [{ kind: "not-first", text }];
    }
    const are = before === 1 ? "1 job is" : `${jobs} are`;
    const why = "their priority is higher, or they came earlier";
    return [{ kind: "not-first", text: `${are} before it in the queue: ${why}.` }];
  }
  return workers.some(({ state }) => state === "idle") ? [{ kind: "next", text: "It is the next one." }] : [];
}

/** Reasons that come from the dispatcher and the workers, not from the job. */
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
      stalled > 0 ? "make room there (df), or repair what their daemonlogs report" : toType("recruiter hire");
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
  const { job } = facts.place;
  const worker = workerOf(facts.place) ?? "";
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
  const { attempts, retry } = facts;
  const nobody = whyNobody(facts).filter(({ kind }) => kind !== "none-free");
  if (retry?.kind === "return") {
    return [
      { kind: "namesake", text: "Another job with the same name is in the queue, and comes first." },
      ...nobody,
    ];
  }
  const last = attempts.at(-1);
  const how = last?.outcome === undefined ? "failed" : `ended: ${describeOutcome(last.outcome)}`;
  const text = `Attempt ${last?.attempt ?? "?"} ${how}${whatFollows(retry, last?.end)}.`;
  return [{ kind: "backing-off", text }, ...nobody];
}

/** @param end time when the last attempt ended */
function whatFollows(
  retry: Exclude<RetryVerdict, { kind: "return" }> | undefined,
  end: string | undefined,
): string {
  switch (retry?.kind) {
    case undefined:
      return "";
    case "again":
      return `, its failure ${retry.attempt - 1} of ${retry.of}${backsOff(retry.backoff, end)}`;
    case "requeue":
      return backsOff(retry.backoff, end);
    case "given-up":
      return `; ${retry.reason}, so a dispatcher gives it up`;
    default:
      return retry satisfies never;
  }
}

function backsOff(seconds: number, end: string | undefined): string {
  const until = end === undefined ? "" : timeAfter(end, seconds);
  if (until === "") return "";
  return `; the backoff is ${formatDuration(seconds)}, until ${until} by its worker's clock`;
}

/**
 * Time a number of seconds later, as ISO 8601; empty when a `Date` cannot hold the time (ECMA-262: a `Date` ends in the year
 * 275760).
 */
function timeAfter(begin: string, seconds: number): string {
  const time = new Date(Date.parse(begin) + seconds * 1000);
  return Number.isNaN(time.getTime()) ? "" : time.toISOString();
}
