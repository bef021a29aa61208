import { type Dependency, parseAfter } from "./after.js";
import { ARRAY_SECTIONS, ArrayProblem, type JobArray, readArray } from "./array.js";
import { parseDuration } from "./duration.js";
import { type IniSection, parseIni } from "./ini-dialect.js";
import { nearest } from "./nearest.js";
import { cut, quote, visible } from "./quote.js";
import { LIKE_A_SHELL, readShell } from "./shell.js";
import { strip } from "./whitespace.js";

/** The parts of a job file that concern fjord. All other parts are for the job's own program. */
export interface Job {
  /** `command`: the job file names a command line. `script`: the job file itself is run. */
  readonly kind: "command" | "script";
  /** Shell command line, as written; empty for a script. */
  readonly executable: string;
  /** File for the job's results, relative to its working directory. */
  readonly logfile: string | undefined;
  readonly workdir: string | undefined;
  /** Shell that runs the command line, with the options before `-c`. If undefined, the project's shell runs it. */
  readonly shell: string | undefined;
  readonly retries: number;
  /** Timeout in seconds, more than 0. */
  readonly timeout: number | undefined;
  /** Jobs with a higher priority start first. */
  readonly priority: number;
  readonly nice: number | undefined;
  /** Jobs that must end before this job may begin. */
  readonly after: readonly Dependency[];
  /** Exit code by which the job asks fjord to run it again, without counting as failed; undefined when there is none. */
  readonly requeueExit: number | undefined;
  /** Elements of the array; undefined for a single job. */
  readonly array: JobArray | undefined;
}

export type JobReading =
  | { readonly ok: true; readonly job: Job }
  | { readonly ok: false; readonly reason: string };

/** Largest job file, in bytes. A larger file is probably data that was put into the queue by mistake. */
export const JOB_FILE_LIMIT = 1024 * 1024;

/** fjord's section, and the section of its predecessor fjd. Both have the same keys. */
const CONTROL = "control";
const FJD = "fjd";
/** Sections that belong to fjord. Each of their lines must be valid. */
export const STRICT_SECTIONS: ReadonlySet<string> = new Set([CONTROL, FJD, ...ARRAY_SECTIONS]);
const EXAMPLE = '"[control]" and below it "executable = python run.py"';

/**
 * Reads a job file. The function never throws, because a job that cannot be read has an outcome: `refused`. Every reason is one
 * line, which names the file, and also line, section and key if these are known. The reason says what was found and what to write
 * instead.
 *
 * A file `*.ini` is ini unless it starts with `#!`. Any other file is a script when its x bit is set, and otherwise ini.
 *
 * @param fileName name of the file in reasons
 * @param executable whether the x bit of the file is set
 */
export function readJob(fileName: string, content: Uint8Array, executable: boolean): JobReading {
  if (content.length === 0) return refuse(fileName, `is empty; write ${EXAMPLE} into it`);
  const isIni = fileName.endsWith(".ini");
  const hasShebang = content[0] === 0x23 && content[1] === 0x21;
  if (executable && (hasShebang || !isIni)) return { ok: true, job: SCRIPT };
  if (hasShebang) {
    return refuse(
      fileName,
      "is a script (starts with #!) but not executable; chmod +x it and submit it again",
    );
  }
  if (content.length > JOB_FILE_LIMIT) {
    const size = `is longer than ${JOB_FILE_LIMIT} bytes, which a job file may have`;
    return refuse(fileName, `${size}; keep the data in a file of its own and name it in the job file`);
  }
  const ini = parseIni(content, { strictIn: STRICT_SECTIONS });
  if (!ini.ok) {
    const what = isIni ? ini.problem : `${ini.problem}; or chmod +x the file if it is a program`;
    return refuse(fileName, what, ini);
  }
  const control = ini.sections.get(CONTROL);
  const fjd = ini.sections.get(FJD);
  const ours = control ?? fjd;
  if (ours === undefined) return refuse(fileName, lackOfSection([...ini.sections.values()]));
  if (control !== undefined && fjd !== undefined) {
    const both = `[${CONTROL}] (line ${control.line}) and [${FJD}] (line ${fjd.line})`;
    return refuse(fileName, `has both ${both}; keep one of them, with all keys in it`);
  }
  try {
    return new SectionReading(fileName, ours).read(readArray(ini.sections));
  } catch (error) {
    if (!(error instanceof ArrayProblem)) throw error;
    const { section, key, message } = error;
    const line = (key === undefined ? undefined : section.entry(key)?.line) ?? section.line;
    return refuse(fileName, message, { line, section: section.name, key });
  }
}

/** EX_TEMPFAIL of sysexits(3): the job wants to be run again later. */
const REQUEUE_EXIT = 75;

const SCRIPT: Job = Object.freeze({
  kind: "script",
  executable: "",
  logfile: undefined,
  workdir: undefined,
  shell: undefined,
  retries: 0,
  timeout: undefined,
  priority: 0,
  nice: undefined,
  requeueExit: REQUEUE_EXIT,
  after: [],
  array: undefined,
});

const KEYS = [
  "executable",
  "logfile",
  "workdir",
  "shell",
  "retries",
  "timeout",
  "priority",
  "nice",
  "requeue_exit",
  "after",
] as const;
type Key = (typeof KEYS)[number];

/** Reads fjord's section key by key. The first mistake becomes the reason of the refusal. */
class SectionReading {
  readonly #file: string;
  readonly #section: IniSection;
  #refusal: JobReading | undefined;

  constructor(file: string, section: IniSection) {
    this.#file = file;
    this.#section = section;
  }

  read(array: JobArray | undefined): JobReading {
    this.#checkKeys();
    const job: Job = {
      kind: "command",
      executable: this.#executable(),
      logfile: this.#line("logfile"),
      workdir: this.#line("workdir"),
      shell: this.#shell(),
      retries: this.#whole("retries", 0, 1_000_000) ?? 0,
      timeout: this.#timeout(),
      priority: this.#whole("priority", -(2 ** 31), 2 ** 31) ?? 0,
      nice: this.#whole("nice", -20, 19),
      after: this.#after(),
      requeueExit: this.#requeueExit(),
      array,
    };
    return this.#refusal ?? { ok: true, job };
  }

  /** Checks the section's own keys only. `[DEFAULT]` may hold any key, because the job's sections inherit it too. */
  #checkKeys(): void {
    for (const key of this.#section.own.keys()) {
      if ((KEYS as readonly string[]).includes(key)) continue;
      const near = nearest(key, KEYS);
      const instead = near === undefined ? `the keys are ${KEYS.join(", ")}` : `did you mean "${near}"?`;
      this.#refuse(
        key,
        `is not a key of this section; ${instead} (the job's own keys go into another section)`,
      );
    }
  }

  #executable(): string {
    const found = this.#text("executable");
    if (found !== undefined) return found;
    const what = this.#section.entry("executable") === undefined ? "is missing" : "is empty";
    this.#refuse("executable", `${what}; write a command line, such as "executable = python run.py"`);
    return "";
  }

  /**
   * Refuses a path of several lines. Such a path comes from an indented line below the key, which was meant as a line of its own.
   */
  #line(key: Key): string | undefined {
    const found = this.#text(key);
    if (found?.includes("\n")) {
      this.#refuse(
        key,
        `found ${quote(found)}, several lines; an indented line continues the value above it: write "${key} = …" on one line and do not indent the next`,
      );
    }
    return found;
  }

  #shell(): string | undefined {
    const found = this.#text("shell");
    if (found === undefined) return undefined;
    const shell = readShell(found);
    if (shell === undefined) this.#refuse("shell", `found ${quote(found)}; write ${LIKE_A_SHELL}`);
    return shell;
  }

  #whole(key: Key, least: number, most: number): number | undefined {
    const found = this.#text(key);
    if (found === undefined) return undefined;
    const number = /^[+-]?\d+$/.test(found) ? Number(found) : Number.NaN;
    if (number >= least && number <= most) return number + 0; // adding 0 turns -0 into 0
    this.#refuse(key, `found ${quote(found)}; write a whole number from ${least} to ${most}`);
    return undefined;
  }

  #timeout(): number | undefined {
    const found = this.#text("timeout");
    if (found === undefined) return undefined;
    const seconds = parseDuration(found);
    if (seconds !== undefined && seconds > 0) return seconds;
    this.#refuse(
      "timeout",
      `found ${quote(found)}; write a duration above 0, such as 90 (seconds), 30m, 1h 30m, 2d or 01:30:00`,
    );
    return undefined;
  }

  #after(): readonly Dependency[] {
    const found = this.#line("after");
    if (found === undefined) return [];
    const after = parseAfter(found);
    if (after !== undefined) return after;
    this.#refuse(
      "after",
      `found ${quote(found)}; write job names with commas between them, such as "prepare, load:any"`,
    );
    return [];
  }

  #requeueExit(): number | undefined {
    const found = this.#text("requeue_exit");
    if (found === undefined) return REQUEUE_EXIT;
    if (found.toLowerCase() === "none") return undefined;
    const code = /^\d+$/.test(found) ? Number(found) : 0;
    if (code < 1 || code > 255) {
      this.#refuse("requeue_exit", `found ${quote(found)}; write an exit code from 1 to 255, or none`);
    }
    return code;
  }

  /** Text of a key. An empty value counts as missing. */
  #text(key: Key): string | undefined {
    const found = this.#section.get(key);
    return found === undefined ? undefined : strip(found) || undefined;
  }

  #refuse(key: string, what: string): void {
    const entry = this.#section.entry(key);
    const section = entry?.inherited ? "DEFAULT" : this.#section.name;
    this.#refusal ??= refuse(this.#file, what, { line: entry?.line ?? this.#section.line, section, key });
  }
}

interface Place {
  readonly line: number;
  readonly section?: string | undefined;
  readonly key?: string | undefined;
}

function refuse(fileName: string, what: string, place?: Place): JobReading {
  const where = place === undefined ? "" : inFile(place);
  return { ok: false, reason: `${visible(fileName)}${where}: ${what}` };
}

function inFile({ line, section, key }: Place): string {
  const inSection = section === undefined ? "" : `, section [${cut(section)}]`;
  return `, line ${line}${inSection}${key === undefined ? "" : `, key ${quote(key)}`}`;
}

function lackOfSection(sections: readonly IniSection[]): string {
  const lack = "has neither a section [control] nor [fjd]";
  for (const { name, line } of sections) {
    const near = nearest(name.trim().toLowerCase(), [CONTROL, FJD]);
    if (near !== undefined) return `${lack}; did you mean [${near}] where line ${line} says [${cut(name)}]?`;
  }
  return `${lack}; write ${EXAMPLE}`;
}
