import fs from "node:fs";
import { describeOutcome } from "../job/outcome.js";
import { quote, visible } from "../job/quote.js";
import { shellQuote } from "../job/shell-words.js";
import type { JobRecord } from "../jobs/record.js";
import type { RunResult } from "../run/run-all.js";
import { note, printJson, whyNotWritten } from "./main.js";
import { count } from "./wording.js";

/** Largest number of failures that are reported one by one. */
const TOLD = 5;

/** Writes the table of `--results`. @returns false if it could not be written; a line on standard error says why */
export function writeTable(file: string, text: string): boolean {
  try {
    fs.writeFileSync(file, text);
    return true;
  } catch (error) {
    note("fjord", `The table ${quote(file)} could not be written: ${whyNotWritten(error)}.`);
    return false;
  }
}

/** A run that has ended. */
export interface EndedRun {
  readonly total: number;
  readonly result: RunResult;
  readonly records: readonly JobRecord[];
  /** The directory of the run's project, if the project stays. */
  readonly kept: string | undefined;
  readonly isNamed: boolean;
  /** The value of `--halt`. */
  readonly halt: string | undefined;
}

export function printRun({ total, result, kept }: EndedRun): void {
  const { succeeded, failed, elapsed, halted } = result;
  const cancelled = total - succeeded - failed;
  const project = kept === undefined ? {} : { project: kept };
  printJson({ total, succeeded, failed, cancelled, halted, elapsed, ...project });
}

/** Reports failures, and where to read about them. After a success that leaves no project, it prints nothing. */
export function reportRun({ total, result, records, kept, isNamed, halt }: EndedRun): void {
  const { succeeded, failed, halted } = result;
  if (succeeded === total && (kept === undefined || isNamed)) return;
  const bad = records.filter(({ state }) => state === "failed");
  for (const { job, attempts, refused } of bad.slice(0, TOLD)) {
    const outcome = attempts.at(-1)?.outcome;
    const how = refused ?? (outcome === undefined ? "failed" : describeOutcome(outcome));
    note("fjord", `${visible(job)}: ${visible(how)}`);
  }
  if (bad.length > TOLD) note("fjord", `… and ${bad.length - TOLD} more.`);
  const rest = total - succeeded - failed;
  const why = halted ? ` (--halt ${halt})` : "";
  const others = rest > 0 ? `, ${rest} not run or stopped${why}` : "";
  note("fjord", `${count(total)}: ${succeeded} succeeded, ${failed} failed${others}.`);
  note("fjord", `Output of a job: fjord log --project ${shellQuote(kept ?? "")} JOB`);
  if (!isNamed) note("fjord", "The project is kept until you remove it: fjord clean --runs --older-than 7d");
}
