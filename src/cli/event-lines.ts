import type { DispatchEvent } from "../dispatcher/dispatch.js";
import { formatDuration } from "../job/duration.js";
import { describeOutcome, type Outcome } from "../job/outcome.js";
import { visible } from "../job/quote.js";
import { shellWord } from "../job/shell-words.js";
import type { Project } from "../library/project.js";
import { toType } from "../project/to-type.js";

/** Largest number of job names in one line. */
const NAMED = 3;

/** The lines that report an event of a dispatcher. Progress has no lines here. */
export function eventLines(
  event: Exclude<DispatchEvent, { kind: "progress" }>,
  { layout, directory }: Project,
): readonly string[] {
  const printed = ({ job, log }: { job: string; log?: string }) =>
    `Output: ${visible(log ?? `${layout.joblogs}/${job}.*.log`)}`;
  switch (event.kind) {
    case "started":
      return [`Started on ${layout.jobqueue}.`];
    case "standing-by": {
      const { dispatcher, host, since } = event.behind ?? {};
      const where = host ? ` on ${host} since ${since}` : "";
      return [`${dispatcher ?? "Another dispatcher"} dispatches here${where}; standing by.`];
    }
    case "refused":
      return [`Refused: ${visible(event.reason)}`];
    case "worker-lost": {
      const { worker, reason, back, jobs, givenUp } = event;
      const lost = givenUp > 0 ? `; ${givenUp} given up` : "";
      return [
        `Lost ${worker}: ${reason}. ${back} of its jobs are back in the queue${nameSome(jobs)}${lost}.`,
      ];
    }
    case "retry": {
      const next = `attempt ${event.attempt} of ${event.of} follows`;
      return [`${visible(event.job)} failed${how(event)}; ${next}. ${printed(event)}`];
    }
    case "failed":
      return [`${visible(event.job)} failed${how(event)}. ${printed(event)}`];
    case "given-up":
      return [`${visible(event.job)} given up${how(event)}: ${event.reason}. ${printed(event)}`];
    case "cancelled":
      return [`${visible(event.job)} cancelled: ${visible(event.reason)}.`];
    case "trouble":
      return [`Trouble with the store; trying again: ${event.message}`];
    case "all-ended":
      return [...summary(event), ...blockedLines(event.blocked, directory)];
    default: {
      const unknown: never = event;
      throw new Error(`unknown event: ${JSON.stringify(unknown)}`);
    }
  }
}

function summary(event: DispatchEvent & { kind: "all-ended" }): string[] {
  const cancelled = event.cancelled > 0 ? `, ${event.cancelled} cancelled` : "";
  const ends = `${event.succeeded} succeeded, ${event.failed} failed${cancelled}`;
  return [`No more jobs: ${ends}, in ${formatDuration(event.elapsed)}.`];
}

function blockedLines(blocked: readonly string[], directory: string): string[] {
  const [first] = blocked;
  if (first === undefined) return [];
  const explain = toType(`fjord explain ${shellWord(first)}`, directory);
  const why = "They wait for jobs that are missing or held, or for each other.";
  return [`Not run${nameSome(blocked)}. ${why} ${explain} shows the reasons.`];
}

/** `: a, b, c and 2 more`. */
function nameSome(jobs: readonly string[]): string {
  if (jobs.length === 0) return "";
  const rest = jobs.length - NAMED;
  return `: ${jobs.slice(0, NAMED).map(visible).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** ` (exit code 3)` */
function how({ outcome }: { outcome?: Outcome }): string {
  return outcome === undefined ? "" : ` (${describeOutcome(outcome)})`;
}
