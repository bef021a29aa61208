import fs from "node:fs";
import type { ArrayRecord } from "../../compose/array-record.js";
import type { Project } from "../../compose/project.js";
import { formatDuration } from "../../job/duration.js";
import { describeOutcome } from "../../job/outcome.js";
import { visible } from "../../job/quote.js";
import { formatSize } from "../../job/size.js";
import { toType } from "../../project/to-type.js";
import type { AttemptRecord } from "../../report/attempts.js";
import { directoryOf } from "../../report/directory.js";
import { isPending, JOB_STATES } from "../../report/jobs.js";
import type { JobRecord } from "../../report/record.js";
import { READ_FLAGS } from "../../spool/file-facts.js";
import { isErrno } from "../../spool/store.js";
import { EXIT, openExisting } from "../command.js";
import { table } from "../table.js";
import { clock } from "../times.js";
import { type Common, count, JOBS, JSON_OPTION, needJobs, printJson, type Verb } from "../verb.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly json: boolean;
}

/** Bytes of a job file that are shown. */
const SHOWN = 4096;

/** `fjord show`: all that is known of a job. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("jobs", JOBS)
      .option("json", JSON_OPTION)
      .example("fjord show run7", "its file, state, attempts, outcome, times, memory, logs"),

  async run(args) {
    needJobs(args.jobs);
    const project = await openExisting(args);
    const arrays = await project.arrays(args.jobs);
    const others = args.jobs.filter((word) => !arrays.some(({ array }) => array === word));
    const shown = others.length > 0 ? await project.records(others) : [];
    if (args.json) printJson([...arrays, ...shown]);
    else {
      const texts = arrays.map((array) => describeArray(array, args.project));
      for (const job of shown) texts.push(describe(job, await whereItRuns(project, job)));
      process.stdout.write(texts.join("\n"));
    }
    return EXIT.ok;
  },
};

/** Where its last attempt ran; of a job that is still to have its first, where it will. */
async function whereItRuns(project: Project, job: JobRecord): Promise<string | undefined> {
  const last = job.attempts.at(-1);
  if (last !== undefined) return directoryOf(project.store, job, last.directory);
  if (!isPending(job) && job.state !== "held") return undefined;
  const [hiredIn, ...more] = new Set((await project.workers()).map(({ directory }) => directory));
  const directory = await directoryOf(project.store, job, (more.length === 0 && hiredIn) || undefined);
  return directory ?? "where its worker was hired";
}

function describe(job: JobRecord, directory: string | undefined): string {
  const lines = [
    `${visible(job.job)}: ${job.state}${job.worker === undefined ? "" : ` (${job.worker})`}`,
    `file: ${visible(job.path)}${job.numbers === undefined ? "" : " (of its array: it has none of its own yet)"}`,
  ];
  if (directory !== undefined) lines.push(`directory: ${visible(directory)}`);
  if (job.refused !== undefined) lines.push(`refused: ${visible(job.refused)}`);
  if (job.cancelled !== undefined) lines.push(`cancelled: ${visible(job.cancelled)}`);
  let text = `${lines.join("\n")}\n`;
  if (job.attempts.length > 0) text += `\n${attemptTable(job.attempts)}`;
  const last = job.attempts.at(-1);
  if (last?.result !== undefined) text += `result: ${visible(JSON.stringify(last.result))}\n`;
  if (last !== undefined) text += `log: ${visible(last.log)}\n`;
  const content = contentOf(job.path);
  return content === "" ? text : `${text}\n${content}`;
}

/** @param named the project, as it was named */
function describeArray(
  { array, path, size, states, numbers }: ArrayRecord,
  named: string | undefined,
): string {
  const lines = [`${visible(array)}: an array of ${size === undefined ? "" : count(size)}`];
  lines.push(`file: ${visible(path)}`);
  for (const state of JOB_STATES) {
    const found = states[state];
    if (found === undefined) continue;
    const name = numbers[state];
    lines.push(`${state}: ${found}${name === undefined ? "" : ` (${visible(name)})`}`);
  }
  lines.push(`each: ${toType(`fjord list ${visible(array)}`, named)}`);
  return `${lines.join("\n")}\n\n${contentOf(path)}`;
}

function attemptTable(attempts: readonly AttemptRecord[]): string {
  return table(
    ["ATTEMPT", "OUTCOME", "STARTED", "TOOK", "CPU", "MEMORY", "WORKER"],
    attempts.map((one) => [
      String(one.attempt),
      one.outcome === undefined ? "has not ended" : describeOutcome(one.outcome),
      clock(one.start),
      one.seconds === undefined ? "" : formatDuration(one.seconds),
      one.cpu ? formatDuration(one.cpu.user + one.cpu.system) : "",
      one.memory ? formatSize(one.memory) : "",
      one.worker,
    ]),
  );
}

/** The job file itself, when it is text and short enough to read. */
function contentOf(file: string): string {
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, READ_FLAGS);
    if (!fs.fstatSync(fd).isFile()) return "(not a regular file)\n";
    const bytes = fs.readFileSync(fd);
    if (bytes.length > SHOWN || bytes.includes(0)) return `(${formatSize(bytes.length)})\n`;
    const lines = bytes.toString("utf8").replace(/\n*$/, "").split("\n");
    return `${lines.map((line) => `  ${visible(line.replaceAll("\t", "    "))}`).join("\n")}\n`;
  } catch (error) {
    return isErrno(error, "ELOOP") ? "(a link, which is not followed)\n" : ""; // else it has moved on
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
