import fs from "node:fs";
import { buffer } from "node:stream/consumers";
import { FjordError } from "../job/error.js";
import { readObjects } from "../job/json-objects.js";
import { quote } from "../job/quote.js";
import { type Dimension, oneByOne, readParam, readParameters, repetition, Sweep } from "../job/sweep.js";
import { fromHere } from "../project/current-directory.js";
import { flag, text, texts } from "./option.js";

export interface SweepArgs {
  readonly param: string[] | undefined;
  readonly zip: boolean;
  readonly eachLine: string | undefined;
  readonly fromJson: string | undefined;
  readonly repeat: string | undefined;
  readonly array: string | undefined;
  readonly exe: string | undefined;
  readonly parameters: string | undefined;
}

/** Options that make many jobs. */
export const SWEEP_OPTIONS = {
  param: texts("NAME=VALUE,VALUE… or NAME=1..10: a job for each value; several times: for each combination"),
  zip: flag("combine only the first values with each other, the second values, and so on"),
  "each-line": text("FILE, or -: a job for each line"),
  "from-json": text("FILE, or -: a job for each object"),
  repeat: text("number of jobs that run the same command"),
  array: text("1-1000: one job file for many jobs, which are made when workers need them"),
  exe: text("as in fjd: a shell command line, with $1, $2"),
  parameters: text("as in fjd: a#b,c#d"),
};

/** The values that differ between the jobs; undefined if no option names any. */
export async function sweepOf(args: SweepArgs): Promise<Sweep | undefined> {
  const { fromJson, eachLine, param = [], parameters, repeat, zip } = args;
  const dimensions: Dimension[] = [];
  if (fromJson !== undefined)
    dimensions.push(readObjects(`--from-json ${fromJson}`, await textOf("--from-json", fromJson)));
  if (eachLine !== undefined)
    dimensions.push(linesOf(`--each-line ${eachLine}`, await textOf("--each-line", eachLine)));
  dimensions.push(...param.map(readParam));
  if (parameters !== undefined) dimensions.push(readParameters(parameters));
  if (repeat !== undefined) dimensions.push(repetition(countOf(repeat)));
  return dimensions.length === 0 ? undefined : new Sweep(dimensions, zip);
}

function countOf(text: string): number {
  if (/^\d+$/.test(text) && Number(text) > 0) return Number(text);
  throw new FjordError("bad-usage", `--repeat: found ${quote(text)}.`, "Write a whole number from 1.");
}

async function textOf(option: string, file: string): Promise<string> {
  try {
    const bytes = file === "-" ? await buffer(process.stdin) : fs.readFileSync(fromHere(file));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof FjordError) throw error;
    throw new FjordError(
      "bad-usage",
      `${option}: ${quote(file)} cannot be read: ${(error as Error).message}.`,
    );
  }
}

/** One value for each line. White space around a line is dropped, and so are empty lines. */
function linesOf(what: string, text: string): Dimension {
  const lines = text.split("\n").map((line) => line.trim());
  return oneByOne(
    what,
    "line",
    lines.filter((line) => line !== ""),
  );
}
