import { ARRAY_SECTIONS, type JobArray } from "./array.js";
import { FjordError } from "./error.js";
import { type Job, readJob } from "./job.js";
import { type ControlKeys, withControlKeys, withoutSections, withParams } from "./job-text.js";
import { checkName, jobName } from "./name.js";
import { endsOfRanges, parseNumber } from "./numbers.js";
import { ANY_CASE, type Notation, shellTemplate, type Template, textTemplate } from "./placeholder.js";
import { visible } from "./quote.js";
import type { Values } from "./sweep.js";

/** What an element is called: `A_17`. */
export function elementName(array: string, number: number): string {
  return `${array}_${number}`;
}

/** The array that a job of this name would be an element of, and its number; undefined when it cannot be one. */
export function elementOf(job: string): { readonly array: string; readonly number: number } | undefined {
  const at = job.lastIndexOf("_");
  const number = at > 0 ? parseNumber(job.slice(at + 1)) : undefined;
  return number === undefined ? undefined : { array: job.slice(0, at), number };
}

/** A job file that stands for many jobs. */
export type ArrayJob = Job & { readonly array: JobArray };

/** Why an array's file is no good, for which its first and its last element speak; undefined: it is. */
export function problemOfArray(file: string, content: Uint8Array, job: ArrayJob): string | undefined {
  const elements = new Elements(file, content, job);
  return endsOfRanges(job.array.ranges)
    .map((number) => elements.problemOf(number))
    .find((problem) => problem !== undefined);
}

/** Which keys of a job have places for values. */
type VaryingKey = "executable" | "logfile" | "workdir";

/** What of a job has placeholders: its command as a shell line, its paths as they are. */
export function templatesOf(
  { executable, logfile = "", workdir = "" }: Pick<Job, VaryingKey>,
  names: ReadonlySet<string>,
  notation?: Notation,
): ReadonlyMap<VaryingKey, Template> {
  const templates: [VaryingKey, Template][] = [
    ["executable", shellTemplate(executable, names, notation)],
    ["logfile", textTemplate(logfile, names, notation)],
    ["workdir", textTemplate(workdir, names, notation)],
  ];
  return new Map(templates.filter(([, template]) => template.isVaried));
}

/** Makes the job files of an array's elements: the array's own, with the values in their places and in `[params]`. */
export class Elements {
  readonly #file: string;
  readonly #text: string;
  readonly #array: JobArray;
  readonly #templates: ReadonlyMap<VaryingKey, Template>;

  /** @param content of the array's job file, which `job` was read from */
  constructor(file: string, content: Uint8Array, job: ArrayJob) {
    const { array } = job;
    this.#file = file;
    this.#array = array;
    const text = withoutSections(Buffer.from(content).toString("utf8"), ARRAY_SECTIONS).replace(
      /(?:(\r?\n)\s*)+$/,
      "$1",
    );
    this.#text = job.after.length === 0 ? text : withControlKeys(file, text, { after: "" });
    this.#templates = templatesOf(job, array.names, ANY_CASE);
  }

  /**
   * An element's job file. It waits for no other job: what the array waits for has ended before there are elements. With a
   * value that makes it no valid job, such as several lines for a log file's name, it is refused as any other file is.
   */
  textOf(number: number): string {
    const values = this.#array.valuesOf(number);
    try {
      return withParams(this.#file, withControlKeys(this.#file, this.#text, this.#keysFor(values)), values);
    } catch (error) {
      if (!(error instanceof FjordError)) throw error;
      return `# ${visible(error.message)}\n[control]\nexecutable =\n`;
    }
  }

  /** Why an element would be refused; undefined: it is a valid job. */
  problemOf(number: number): string | undefined {
    const problem = checkName(`${elementName(jobName(this.#file), number)}.ini`);
    if (problem !== undefined) return problem;
    const reading = readJob(this.#file, Buffer.from(this.textOf(number)), false);
    return reading.ok ? undefined : `element ${number}: ${reading.reason}`;
  }

  #keysFor(values: Values): ControlKeys {
    return Object.fromEntries([...this.#templates].map(([key, template]) => [key, template.fill(values)]));
  }
}
