import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ARRAY_SECTIONS } from "../job/array.js";
import { parseIni } from "../job/ini-dialect.js";
import { nearest } from "../job/nearest.js";
import { quote } from "../job/quote.js";
import { SHELL_WORDS, shellLineIn } from "../job/shell-words.js";
import { slipsIn } from "../job/slips.js";
import type { Values } from "../job/sweep.js";
import { resolvePath } from "../job/written-path.js";
import { commandIn, filesOf, readSource } from "./draft.js";
import type { Wanted } from "./wanted.js";

/** What looks like a place for a value and is none, a line each. What cannot be read is told when it is drafted. */
export function slipsOf(wanted: Wanted): string[] {
  const { command = [], files = [], exe, sweep, name = "", logfile = "", workdir = "", env = {} } = wanted;
  if (exe !== undefined) return []; // its places are $1, $2
  const others = [name, logfile, workdir, ...Object.values(env)];
  const looked = (texts: readonly string[]) => slipsIn({ texts: [...texts, ...others], names: sweep?.names });
  const slips = sweep === undefined ? [] : rangeSlips(sweep.at(0));
  if (command.length > 0) return [...looked(command), ...slips, ...notHere(command, workdir)];
  const ofFiles =
    sweep === undefined ? files.flatMap(arraySlips) : files.flatMap((file) => textsOf(file).flatMap(looked));
  return [...new Set([...ofFiles, ...slips])];
}

/** What a command needs and is not on this host: it may be on those where workers are. */
function notHere([program = "", ...args]: readonly string[], workdir: string): string[] {
  const isHere = "is not on this host. Without it where the workers are, every such job fails.";
  const dir = workdir === "" ? process.cwd() : resolvePath(process.cwd(), workdir, os.homedir());
  const isVaried = workdir.includes("{");
  if (!isVaried && !isDirectory(dir)) return [`The workdir ${quote(workdir)} ${isHere}`];
  if (isVaried && program.includes("/")) return [];
  const isKnown = SHELL_WORDS.has(program) || program.includes("{") || program.includes("=");
  if (isKnown || shellLineIn([program, ...args]) !== undefined) return [];
  const dirs = program.includes("/") ? [dir] : (process.env.PATH ?? "").split(path.delimiter);
  const isThere = dirs.some((in_) => isExecutable(path.resolve(in_, program)));
  return isThere ? [] : [`The program ${quote(program)} ${isHere}`];
}

function isDirectory(dir: string): boolean {
  return fs.statSync(dir, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What looks like a range of numbers to people, and is one value. */
function rangeSlips(values: Values): string[] {
  return [...values].flatMap(([name, value]) => {
    const [found, first = "1", last = "10"] =
      /^(?:(\d+)(?:-|:|\.{3})(\d+)|\d+\.\.|\.\.\d+)$/.exec(value) ?? [];
    return found === undefined ? [] : [`${name}: "${value}" is one value. A range is ${first}..${last}.`];
  });
}

/** Of job files that are arrays, or were meant to be. */
function arraySlips(given: string): string[] {
  try {
    return filesOf(given).flatMap((path) => {
      const source = readSource(path);
      const file = `${source.name}${source.ending}`;
      const { array, executable, logfile = "", workdir = "" } = commandIn(file, source);
      if (array === undefined) return sectionSlips(file, source.content);
      // The names of an ini file have no case.
      const texts = [executable, logfile, workdir].map((text) =>
        text.replace(/\{[^{}\n]*\}/g, (place) => place.toLowerCase()),
      );
      const values = array.valuesOf(array.ranges[0]?.from ?? 1);
      return [...slipsIn({ texts, names: array.names }), ...rangeSlips(values)];
    });
  } catch {
    return []; // told when it is drafted
  }
}

/** A section that is the job's own, and called almost like one that makes an array of it. */
function sectionSlips(file: string, content: Uint8Array): string[] {
  const ini = parseIni(content, { strictIn: new Set() });
  const names = ini.ok ? [...ini.sections.keys()] : [];
  return names.flatMap((name) => {
    const near = nearest(name.trim().toLowerCase(), ARRAY_SECTIONS);
    return near === undefined ? [] : [`${file} has a section [${name}] of its own. Did you mean [${near}]?`];
  });
}

/** Of a job file, or of each in a folder, the texts in which places may be. */
function textsOf(given: string): string[][] {
  try {
    return filesOf(given).map((file) => {
      const source = readSource(file);
      const { executable, logfile = "", workdir = "" } = commandIn(`${source.name}${source.ending}`, source);
      return [executable, logfile, workdir];
    });
  } catch {
    return [];
  }
}
