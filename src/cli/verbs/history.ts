import { formatDuration } from "../../job/duration.js";
import { elementOf } from "../../job/element.js";
import { describeOutcome, exitOf } from "../../job/outcome.js";
import { visible } from "../../job/quote.js";
import type { Pattern } from "../../job/selection.js";
import { formatSize } from "../../job/size.js";
import { patternsOf } from "../../jobs/selection.js";
import type { AttemptRecord } from "../../ledger/attempts.js";
import { csvOf } from "../csv.js";
import { EXIT } from "../main.js";
import { openToRead } from "../open-project.js";
import { flag } from "../option.js";
import { table } from "../table.js";
import { needOneFormat, TABLE_OPTIONS, type TableArgs } from "../table-options.js";
import { clock } from "../times.js";
import { JOBS, type Verb } from "../verb.js";

/** `fjord history`: lists every attempt in the ledgers, by time, as the joblog of GNU parallel does. */
export const verb: Verb<TableArgs> = {
  words: { jobs: JOBS },
  options: { ...TABLE_OPTIONS, json: flag("print JSON lines") },
  examples: [["fjord history --csv > history.csv", "every attempt, for a spreadsheet"]],

  async run(args) {
    needOneFormat(args);
    const project = await openToRead(args);
    const all = [...((await project?.history())?.attempts.values() ?? [])].flat();
    const patterns = args.jobs.flatMap(patternsOf);
    const isNamed = patterns.map((pattern) => namedBy(pattern, all));
    const chosen = all.filter(({ job }) => patterns.length === 0 || isNamed.some((holds) => holds(job)));
    // The ledgers also have jobs whose files were removed. A word that is not in the ledgers must name a job that has not begun.
    const unknown = patterns.filter((_, n) => !all.some(({ job }) => isNamed[n]?.(job)));
    if (unknown.length > 0) await project?.jobs(unknown.map(({ text }) => text));
    chosen.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.attempt - b.attempt));
    if (args.json) for (const one of chosen) process.stdout.write(`${JSON.stringify(one)}\n`);
    else if (args.csv) process.stdout.write(csv(chosen));
    else if (chosen.length === 0) process.stdout.write("No attempts yet.\n");
    else process.stdout.write(pretty(chosen));
    return EXIT.ok;
  },
};

/** Returns the jobs that a word means. If no job has this name, the word means the elements of the array of this name. */
function namedBy(pattern: Pattern, all: readonly AttemptRecord[]): (job: string) => boolean {
  if (pattern.isGlob || all.some(({ job }) => pattern.matches(job))) return (job) => pattern.matches(job);
  return (job) => elementOf(job)?.array === pattern.text;
}

function pretty(attempts: readonly AttemptRecord[]): string {
  return table(
    ["STARTED", "JOB", "ATTEMPT", "OUTCOME", "TOOK", "CPU", "MEMORY", "WORKER"],
    attempts.map((one) => [
      clock(one.start),
      visible(one.job),
      String(one.attempt),
      one.outcome === undefined ? "" : describeOutcome(one.outcome),
      one.seconds === undefined ? "" : formatDuration(one.seconds),
      one.cpu ? formatDuration(one.cpu.user + one.cpu.system) : "",
      one.memory ? formatSize(one.memory) : "",
      one.worker,
    ]),
  );
}

const COLUMNS = {
  job: (one) => one.job,
  attempt: (one) => one.attempt,
  outcome: (one) => one.outcome?.kind,
  exit: ({ outcome }) => exitOf(outcome),
  signal: ({ outcome }) => (outcome?.kind === "failed" ? outcome.signal : ""),
  start: (one) => one.start,
  end: (one) => one.end,
  seconds: (one) => one.seconds,
  cpu_user: (one) => one.cpu?.user,
  cpu_system: (one) => one.cpu?.system,
  memory: (one) => one.memory,
  host: (one) => one.host,
  worker: (one) => one.worker,
  log: (one) => one.log,
  run: (one) => one.run,
  life: (one) => one.life,
} satisfies Record<string, (one: AttemptRecord) => string | number | null | undefined>;

function csv(attempts: readonly AttemptRecord[]): string {
  const rows = attempts.map((one) => Object.values(COLUMNS).map((of) => of(one) ?? ""));
  return csvOf([Object.keys(COLUMNS), ...rows]);
}
