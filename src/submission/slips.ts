import fs from "node:fs";
import path from "node:path";
import { ARRAY_SECTIONS } from "../job/array.js";
import { parseIni } from "../job/ini-dialect.js";
import { nearest } from "../job/nearest.js";
import { quote } from "../job/quote.js";
import { SHELL_WORDS, shellLineIn, shellQuote } from "../job/shell-words.js";
import { slipsIn } from "../job/slips.js";
import type { Values } from "../job/sweep.js";
import { resolvePath } from "../job/written-path.js";
import { currentDirectory } from "../project/current-directory.js";
import { isExecutableFile } from "../project/executable.js";
import { homeDirectory } from "../project/home.js";
import { commandIn, filesOf, readSource } from "./source.js";
import type { Wanted } from "./wanted.js";

/**
 * Finds probable mistakes in jobs that are about to be submitted, such as a placeholder without a parameter. The function ignores
 * files that cannot be read, because the draft reports them.
 *
 * @returns one line for each mistake
 */
export function slipsOf(wanted: Wanted): string[] {
  const {
    command = [],
    files = [],
    exe,
    sweep,
    name = "",
    logfile = "",
    workdir = "",
    env = {},
    shell,
  } = wanted;
  if (exe !== undefined) return unquoted(exe, workdir); // its placeholders are $1 and $2
  const others = [name, logfile, workdir, ...Object.values(env)];
  const looked = (texts: readonly string[]) => slipsIn({ texts: [...texts, ...others], names: sweep?.names });
  const slips = sweep === undefined ? [] : rangeSlips(sweep.at(0));
  if (command.length > 0) return [...looked(command), ...slips, ...notHere(command, workdir, shell)];
  const jobs = files.flatMap(textsOf);
  const ofFiles = sweep === undefined ? files.flatMap(arraySlips) : jobs.flatMap(looked);
  const programs = jobs.flatMap(([line = "", , dir = ""]) =>
    unquoted(line, workdir || dir, (word) => `executable = ${word}`),
  );
  return [...new Set([...ofFiles, ...slips, ...programs])];
}

/** Finds programs and directories that a command needs and that are not on this host. The hosts of the workers may have them. */
function notHere(
  [program = "", ...args]: readonly string[],
  workdir: string,
  shell: string | undefined,
): string[] {
  const isHere = "is not on this host. If the hosts of the workers lack it, too, the job fails there.";
  const dir = directoryOf(workdir);
  const isVaried = workdir.includes("{");
  if (dir.includes("\uFFFD")) return []; // the draft refuses it
  if (!isVaried && !isDirectory(dir)) return [`The workdir ${quote(workdir)} ${isHere}`];
  if (shell !== undefined) {
    // The shell's start-up files may define the command that the line calls.
    const [path = ""] = shell.split(" ", 1);
    return path.includes("/") && !isExecutableFile(path) ? [`The shell ${quote(path)} ${isHere}`] : [];
  }
  if (isVaried && program.includes("/")) return [];
  const line = shellLineIn([program, ...args]);
  if (line !== undefined) return unquoted(line, workdir);
  const isKnown = SHELL_WORDS.has(program) || program.includes("{") || program.includes("=");
  return isKnown || isProgram(program, dir) ? [] : [`The program ${quote(program)} ${isHere}`];
}

/** Characters at which a shell splits a word of a command. */
const WORD_BREAKS = /[\s;&|<>()$`\\"']/;

/**
 * Finds a shell command line that is, as a whole, the path of a program. The shell would split the line and look for another
 * program.
 *
 * @param as returns the text that the user should type, from the program's quoted path
 */
function unquoted(line: string, workdir: string, as = inShell): string[] {
  const dir = directoryOf(workdir);
  const [first = ""] = line.split(WORD_BREAKS, 1);
  if (!WORD_BREAKS.test(line) || !isProgram(line, dir) || isProgram(first, dir)) return [];
  return [
    `${quote(line)} is a program here, but the shell reads it as a command line. Write ${as(shellQuote(line))}.`,
  ];
}

/** Adds a pair of quotes, because the user's shell removes one pair when the user types the command. */
function inShell(word: string): string {
  return /["$`\\!]/.test(word) ? shellQuote(word) : `"${word}"`;
}

function directoryOf(workdir: string): string {
  const from = /^[~/]/.test(workdir) ? "/" : currentDirectory();
  return resolvePath(from, workdir, homeDirectory);
}

function isProgram(program: string, dir: string): boolean {
  const dirs = program.includes("/") ? [dir] : (process.env.PATH ?? "").split(path.delimiter);
  return dirs.some((in_) => isExecutableFile(path.resolve(in_, program)));
}

function isDirectory(dir: string): boolean {
  return fs.statSync(dir, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Finds values that look like a range of numbers. */
function rangeSlips(values: Values): string[] {
  return [...values].flatMap(([name, value]) => {
    const [found, first = "1", last = "10"] =
      /^(?:(\d+)(?:-|:|\.{3})(\d+)|\d+\.\.|\.\.\d+)$/.exec(value) ?? [];
    return found === undefined ? [] : [`${name}: "${value}" is one value. A range is ${first}..${last}.`];
  });
}

/** Finds mistakes in job files that are arrays, or were probably meant to be. */
function arraySlips(given: string): string[] {
  try {
    return filesOf(given).flatMap((path) => {
      const source = readSource(path);
      const file = `${source.name}${source.ending}`;
      const { array, executable, logfile = "", workdir = "" } = commandIn(file, source);
      if (array === undefined) return sectionSlips(file, source.content);
      // Names in an ini file are case-insensitive.
      const texts = [executable, logfile, workdir].map((text) =>
        text.replace(/\{[^{}\n]*\}/g, (place) => place.toLowerCase()),
      );
      const values = array.valuesOf(array.ranges[0]?.from ?? 1);
      return [...slipsIn({ texts, names: array.names }), ...rangeSlips(values)];
    });
  } catch {
    return []; // the draft reports it
  }
}

/** Finds sections whose names are almost those of sections that make an array. */
function sectionSlips(file: string, content: Uint8Array): string[] {
  const ini = parseIni(content, { strictIn: new Set() });
  const names = ini.ok ? [...ini.sections.keys()] : [];
  return names.flatMap((name) => {
    const near = nearest(name.trim().toLowerCase(), ARRAY_SECTIONS);
    return near === undefined ? [] : [`${file} has a section [${name}] of its own. Did you mean [${near}]?`];
  });
}

/** Returns the texts with placeholders of a job file, or of each job file in a folder. */
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
