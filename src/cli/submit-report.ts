import { elementName } from "../job/element.js";
import { readJob } from "../job/job.js";
import { endsOfRanges } from "../job/numbers.js";
import { visible } from "../job/quote.js";
import { withoutSecrets } from "../job/secrets.js";
import { nameOfNumbers } from "../jobs/numbers.js";
import type { Draft } from "../submission/draft.js";
import { printJson, say } from "./main.js";
import { count, some } from "./wording.js";

/** Prints the drafts as JSON. */
export function printDrafts(drafts: readonly Draft[]): void {
  printJson(
    drafts.map(({ job, file, runs, array }) => ({
      job,
      file,
      runs: withoutSecrets(runs),
      ...(array && { size: array.size }),
    })),
  );
}

/** Prints the names of the jobs, one name per line. An array has one name. */
export function printNames(drafts: readonly Draft[]): void {
  for (const { job } of drafts) process.stdout.write(`${job}\n`);
}

/** Prints the job files that would be submitted. */
export function printFiles(drafts: readonly Draft[]): void {
  for (const draft of drafts) process.stdout.write(shown(draft));
}

/**
 * Reports which jobs are in the queue now, and which commands they run.
 *
 * @param isFiles whether the user gave job files. The user then knows their commands, unless the jobs are arrays
 * @param onDesk names for which an earlier job is on a worker's desk
 */
export function reportSubmitted(
  drafts: readonly Draft[],
  { isFiles, onDesk }: { isFiles: boolean; onDesk: readonly string[] },
): void {
  const [name = ""] = drafts.map(nameOf);
  const total = drafts.reduce((sum, { array }) => sum + (array?.size ?? 1), 0);
  const what = total === 1 ? visible(name) : `${count(total)}: ${some(drafts.map(nameOf).map(visible))}`;
  say("fjord", `Submitted ${what}.`);
  const isPlain = isFiles && drafts.every(({ array }) => array === undefined);
  if (!isPlain) for (const line of runLines(drafts)) say("fjord", line);
  if (onDesk.length > 0) {
    say(
      "fjord",
      `An earlier job with the same name is on a worker's desk and comes first: ${some(onDesk.map(visible))}.`,
    );
  }
}

/** Name of a job, or of an array with its numbers. */
function nameOf({ job, array }: Draft): string {
  return array === undefined ? job : nameOfNumbers({ array: job, ranges: array.ranges });
}

/** Lines with the command of a job, or of the first and the last of many. */
function runLines(drafts: readonly Draft[]): string[] {
  const [first, last] = [drafts[0], drafts.at(-1)].map((draft) => draft && endsOf(draft)) as [
    string[],
    string[],
  ];
  return drafts.length === 1 && first.length === 1
    ? [`Runs: ${first[0]}`]
    : [`The first runs: ${first[0]}`, `The last runs: ${last.at(-1)}`];
}

/** The commands of the first and the last element of an array, or the command of a job. */
function endsOf({ job, array, mode, runs }: Draft): string[] {
  if (array === undefined) return [visible(withoutSecrets(runs))];
  return endsOfRanges(array.ranges).map((number) => {
    const reading = readJob(`${job}.ini`, Buffer.from(array.elements.textOf(number)), (mode & 0o111) !== 0);
    return visible(reading.ok ? withoutSecrets(reading.job.executable.replace(/ #$/, "")) : reading.reason);
  });
}

function shown(draft: Draft): string {
  const { file, content, mode, array } = draft;
  if (array !== undefined) {
    const number = array.ranges[0]?.from ?? 0;
    const first = `# its first job, ${visible(elementName(draft.job, number))}.ini\n${array.elements.textOf(number)}`;
    return `# ${visible(file)}: ${count(array.size)}\n${Buffer.from(content).toString("utf8")}\n${first}\n`;
  }
  const isText = (mode & 0o111) === 0;
  return `# ${visible(file)}\n${isText ? Buffer.from(content).toString("utf8") : "(a script)\n"}\n`;
}
