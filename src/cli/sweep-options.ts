import fs from "node:fs";
import { buffer } from "node:stream/consumers";
import type { Argv } from "yargs";
import { FjordError } from "../job/error.js";
import { quote } from "../job/quote.js";
import {
  type Dimension,
  oneByOne,
  readParam,
  readParameters,
  repetition,
  Sweep,
  tuples,
  type Values,
} from "../job/sweep.js";
import type { Common } from "./verb.js";

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

/** Declares the options for many jobs at once. */
export function sweepOptions(y: Argv<Common>): void {
  y.option("param", {
    type: "string",
    array: true,
    requiresArg: true,
    nargs: 1,
    describe: "NAME=VALUE,VALUE… or NAME=1..10: a job for each; again: for all combinations",
  })
    .option("zip", {
      type: "boolean",
      default: false,
      describe: "no combinations: the first with the first …",
    })
    .option("each-line", { type: "string", requiresArg: true, describe: "FILE, or -: a job for each line" })
    .option("from-json", { type: "string", requiresArg: true, describe: "FILE, or -: a job for each object" })
    .option("repeat", { type: "string", requiresArg: true, describe: "so many jobs" })
    .option("array", {
      type: "string",
      requiresArg: true,
      describe: "1-1000: one job file for many jobs, made as workers need them",
    })
    .option("exe", {
      type: "string",
      requiresArg: true,
      describe: "as in fjd: a shell command line, with $1, $2",
    })
    .option("parameters", { type: "string", requiresArg: true, describe: "as in fjd: a#b,c#d" });
}

/** What varies; undefined when nothing was said to. */
export async function sweepOf(args: SweepArgs): Promise<Sweep | undefined> {
  const { fromJson, eachLine, param = [], parameters, repeat, zip } = args;
  const dimensions: Dimension[] = [];
  if (fromJson !== undefined)
    dimensions.push(objectsOf(`--from-json ${fromJson}`, await textOf("--from-json", fromJson)));
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
    const bytes = file === "-" ? await buffer(process.stdin) : fs.readFileSync(file);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new FjordError(
      "bad-usage",
      `${option}: ${quote(file)} cannot be read: ${(error as Error).message}.`,
    );
  }
}

/** White space around a line does not count, nor do empty lines. */
function linesOf(what: string, text: string): Dimension {
  const lines = text.split("\n").map((line) => line.trim());
  return oneByOne(
    what,
    "line",
    lines.filter((line) => line !== ""),
  );
}

function objectsOf(what: string, text: string): Dimension {
  let elements: unknown;
  try {
    elements = JSON.parse(text);
  } catch (error) {
    throw new FjordError("bad-usage", `${what}: ${(error as Error).message}.`);
  }
  if (!Array.isArray(elements)) throw new FjordError("bad-usage", `${what} is not an array of objects.`);
  return tuples(
    what,
    elements.map((element, i) => valuesOf(`${what}: element ${i + 1}`, element)),
  );
}

function valuesOf(what: string, element: unknown): Values {
  if (typeof element !== "object" || element === null || Array.isArray(element)) {
    throw new FjordError("bad-usage", `${what} is not an object.`);
  }
  return new Map(Object.entries(element).map(([name, value]) => [name, textOfValue(value)]));
}

/** Text as it is, null as nothing, anything else as JSON. */
function textOfValue(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null ? "" : JSON.stringify(value);
}
