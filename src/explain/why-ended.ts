import { formatDuration } from "../job/duration.js";
import { describeOutcome } from "../job/outcome.js";
import { visible } from "../job/quote.js";
import type { AttemptRecord } from "../ledger/attempts.js";
import type { JobFacts, Reason } from "./job-facts.js";

/** Why a job failed, and how to try it again. */
export function whyFailed({ place, attempts, refusal, directory, lastLine, toType }: JobFacts): Reason {
  const { job } = place;
  const last = attempts.at(-1);
  if (refusal !== undefined && last === undefined) {
    return {
      kind: "refused",
      text: `It was refused: ${visible(refusal)}`,
      todo: `correct ${place.path}, then ${toType(`fjord retry ${job}`)}`,
    };
  }
  const how =
    last?.outcome === undefined
      ? "It failed"
      : `Its attempt ${last.attempt} ended: ${describeOutcome(last.outcome)}`;
  const where = directory === undefined ? "" : ` It ran in ${visible(directory)}.`;
  const printed = lastLine === "" ? "" : ` Its last line: ${visible(lastLine)}`;
  const code = last?.outcome?.kind === "failed" ? meaningOf(last.outcome.code) : "";
  return {
    kind: "failed",
    text: `${how}.${code}${where}${printed}`,
    todo: `${toType(`fjord log ${job}`)}; ${toType(`fjord retry ${job}`)}`,
  };
}

/** Meaning of an exit status that the shell itself returns (POSIX 2.8.2). */
function meaningOf(code: number): string {
  if (code === 126)
    return " The shell returns 126 for a file that is not executable, and fjord for a workdir that cannot be entered.";
  if (code !== 127) return "";
  return " The shell returns 127 when it does not find a program. A script may name a missing one in its first line, or have Windows line ends.";
}

/** Why a job is cancelled, and which job to try again. */
export function whyCancelled({ place, attempts, cancellation, toRetry, toType }: JobFacts): Reason {
  const outcome = attempts.at(-1)?.outcome;
  const reason =
    cancellation?.reason ??
    (outcome?.kind === "cancelled" ? outcome.reason : "the ledger does not say by whom");
  const todo = toType(`fjord retry ${toRetry(place.job)}`);
  return { kind: "cancelled", text: `It was cancelled: ${visible(reason)}.`, todo };
}

/** How a job succeeded. */
export function whyDone({ attempts }: JobFacts): Reason {
  return { kind: "succeeded", text: succeeded(attempts.at(-1)) };
}

function succeeded(last: AttemptRecord | undefined): string {
  if (last === undefined) return "It has succeeded.";
  const took = last.seconds === undefined ? "" : ` in ${formatDuration(last.seconds)}`;
  return `Attempt ${last.attempt} succeeded${took}${last.host === undefined ? "" : ` on ${last.host}`}.`;
}
