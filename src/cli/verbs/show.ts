import fs from "node:fs";
import { formatDuration } from "../../job/duration.js";
import { describeOutcome } from "../../job/outcome.js";
import { visible } from "../../job/quote.js";
import { formatSize } from "../../job/size.js";
import { directoryOf } from "../../jobs/directory.js";
import { isPending, JOB_STATES, workerOf } from "../../jobs/places.js";
import type { JobRecord } from "../../jobs/record.js";
import type { AttemptRecord } from "../../ledger/attempts.js";
import type { Project } from "../../library/project.js";
import { toType } from "../../project/to-type.js";
import type { ArrayRecord } from "../../report/array-record.js";
import { READ_FLAGS } from "../../store/open-flags.js";
import { isErrno } from "../../store/store.js";
import { jsonOf } from "../json-record.js";
import { EXIT, printJson } from "../main.js";
import { openExisting } from "../open-project.js";
import { JSON_OPTION } from "../option.js";
import { table } from "../table.js";
import { clock } from "../times.js";
import { type Common, JOBS, needJobs, type Verb } from "../verb.js";
import { count } from "../wording.js";

interface Args extends Common {
  readonly jobs: string[];
  readonly json: boolean;
}

/** Largest job file that is printed, in bytes. */
const SHOWN = 4096;

/** `fjord show`: prints everything that is known about jobs. */
export const verb: Verb<Args> = {
  words: { jobs: JOBS },
  options: { json: JSON_OPTION },
  examples: [["fjord show run7", "its file, state, attempts, outcome, times, memory, logs"]],

  async run(args) {
    needJobs(args.jobs);
    const project = await openExisting(args);
    const arrays = await project.arrays(args.jobs);
    const others = args.jobs.filter((word) => !arrays.some(({ array }) => array === word));
    const shown = others.length > 0 ? await project.records(others) : [];
    if (args.json) printJson([...arrays, ...shown.map(jsonOf)]);
    else {
      const texts = arrays.map((array) => describeArray(array, args.project));
      for (const job of shown) texts.push(describe(job, await whereItRuns(project, job)));
      process.stdout.write(texts.join("\n"));
    }
    return EXIT.ok;
  },
};

/** Directory of a job's last attempt. If the job has not begun, the directory of its first attempt. */
async function whereItRuns(project: Project, job: JobRecord): Promise<string | undefined> {
  const last = job.attempts.at(-1);
  if (last !== undefined) return directoryOf(project.store, job, last.directory);
  if (!isPending(job) && job.state !== "held") return undefined;
  const [hiredIn, ...more] = new Set((await project.workers()).map(({ directory }) => directory));
  const directory = await directoryOf(project.store, job, (more.length === 0 && hiredIn) || undefined);
  return directory ?? "where its worker was hired";
}

function describe(job: JobRecord, directory: string | undefined): string {
  const worker = workerOf(job);
  const lines = [
    `${visible(job.job)}: ${job.state}${worker === undefined ? "" : ` (${worker})`}`,
    `file: ${visible(job.path)}${job.kind === "job" ? "" : " (of its array: it has none of its own yet)"}`,
  ];
  if (directory !== undefined) lines.push(`directory: ${visible(directory)}`);
  if (job.refused !== undefined) lines.push(`refused: ${visible(job.refused)}`);
  if (job.cancelled !== undefined) lines.push(`cancelled: ${visible(job.cancelled)}`);
  let text = `${lines.join("\n")}\n`;
  if (job.attempts.length > 0) text += `\n${attemptTable(job.attempts)}`;
  const last = job.attempts.at(-1);
  if (last?.result !== undefined) text += `result: ${visible(JSON.stringify(last.result))}\n`;
  if (last?.log !== undefined) text += `log: ${visible(last.log)}\n`;
  const content = contentOf(job.path);
  return content === "" ? text : `${text}\n${content}`;
}

/** @param named the project as the user named it */
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

/** The text of the job file, if it is short enough to read. */
function contentOf(file: string): string {
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, READ_FLAGS);
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) return "(not a regular file)\n";
    if (stat.size > SHOWN) return `(${formatSize(stat.size)})\n`;
    const bytes = fs.readFileSync(fd);
    if (bytes.includes(0)) return `(${formatSize(bytes.length)})\n`;
    const lines = bytes.toString("utf8").replace(/\n*$/, "").split("\n");
    return `${lines.map((line) => `  ${visible(line.replaceAll("\t", "    "))}`).join("\n")}\n`;
  } catch (error) {
    // Any other error means that the job file was moved meanwhile.
    return isErrno(error, "ELOOP") ? "(a link, which is not followed)\n" : "";
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}
