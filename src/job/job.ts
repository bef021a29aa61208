import { type Dependency, parseAfter } from "./after.js";
import { ARRAY_SECTIONS, ArrayProblem, type JobArray, readArray } from "./array.js";
import { parseDuration } from "./duration.js";
import { type IniSection, parseIni } from "./ini-dialect.js";
import { nearest } from "./nearest.js";
import { cut, quote, visible } from "./quote.js";
import { strip } from "./whitespace.js";

/** What fjord has to know of a job. Everything else in the job file is between its author and his program. */
export interface Job {
  /** `script`: the job file itself is what is run. */
  readonly kind: "command" | "script";
  /** Shell command line, literal; "" for a script. */
  readonly executable: string;
  /** Where the job's results go, relative to its working directory. */
  readonly logfile: string | undefined;
  readonly workdir: string | undefined;
  readonly retries: number;
  /** Seconds, above 0. */
  readonly timeout: number | undefined;
  /** Higher first. */
  readonly priority: number;
  readonly nice: number | undefined;
  /** Jobs that have to end before this one may begin. */
  readonly after: readonly Dependency[];
  /** The exit code by which the job asks to be run again, which is no failure; undefined: none does. */
  readonly requeueExit: number | undefined;
  /** The file stands for many jobs, and its command has places for what varies. */
  readonly array: JobArray | undefined;
}

export type JobReading =
  | { readonly ok: true; readonly job: Job }
  | { readonly ok: false; readonly reason: string };

/** Bytes. Larger is no job description, but data that strayed into the queue. */
export const JOB_FILE_LIMIT = 1024 * 1024;

/** fjord's section, and the one of its predecessor fjd. The same keys hold in both. */
const SECTIONS: ReadonlySet<string> = new Set(["control", "fjd"]);
/** Those in which everything has to be understood. */
export const STRICT_SECTIONS: ReadonlySet<string> = new Set([...SECTIONS, ...ARRAY_SECTIONS]);
const EXAMPLE = '"[control]" and below it "executable = python run.py"';

/**
 * Reads a job file; `fileName` is what reasons call it, `executable` whether its x bit is set. Never throws:
 * a job that cannot be read is an outcome ("refused"). Every reason is one line that names the file, and line,
 * section and key where there are such, says what was found there and what to write instead.
 *
 * `.ini` files are ini unless they start with `#!`. Any other file is a script when its x bit is set, else ini.
 */
export function readJob(fileName: string, content: Uint8Array, executable: boolean): JobReading {
  const file = visible(fileName);
  if (content.length === 0) return refuse(file, `is empty; write ${EXAMPLE} into it`);
  const isIni = fileName.endsWith(".ini");
  const hasShebang = content[0] === 0x23 && content[1] === 0x21;
  if (executable && (hasShebang || !isIni)) return { ok: true, job: SCRIPT };
  if (hasShebang) {
    return refuse(file, "is a script (starts with #!) but not executable; chmod +x it and submit it again");
  }
  if (content.length > JOB_FILE_LIMIT) {
    const size = `is longer than ${JOB_FILE_LIMIT} bytes, which a job file may have`;
    return refuse(file, `${size}; keep the data in a file of its own and name it in the job file`);
  }
  const ini = parseIni(content, { strictIn: STRICT_SECTIONS });
  if (!ini.ok) {
    const what = isIni ? ini.problem : `${ini.problem}; or chmod +x the file if it is a program`;
    return refuse(place(file, ini.line, ini.section, ini.key), what);
  }
  const [ours, second] = [...SECTIONS]
    .map((name) => ini.sections.get(name))
    .filter((found) => found !== undefined);
  if (ours === undefined) return refuse(file, lackOfSection([...ini.sections.values()]));
  if (second !== undefined) {
    const both = `[${ours.name}] (line ${ours.line}) and [${second.name}] (line ${second.line})`;
    return refuse(file, `has both ${both}; keep one of them, with all keys in it`);
  }
  try {
    return new SectionReading(file, ours).read(readArray(ini.sections));
  } catch (error) {
    if (!(error instanceof ArrayProblem)) throw error;
    const { section, key, message } = error;
    const line = (key === undefined ? undefined : section.entry(key)?.line) ?? section.line;
    return refuse(place(file, line, section.name, key), message);
  }
}

/** EX_TEMPFAIL of sysexits(3): try again later. */
const REQUEUE_EXIT = 75;

const SCRIPT: Job = Object.freeze({
  kind: "script",
  executable: "",
  logfile: undefined,
  workdir: undefined,
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
  "retries",
  "timeout",
  "priority",
  "nice",
  "requeue_exit",
  "after",
] as const;
type Key = (typeof KEYS)[number];

/** Reads our section key by key; the first thing that is wrong becomes the reason. */
class SectionReading {
  readonly #file: string;
  readonly #section: IniSection;
  #reason: string | undefined;

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
      retries: this.#whole("retries", 0, 1_000_000) ?? 0,
      timeout: this.#timeout(),
      priority: this.#whole("priority", -(2 ** 31), 2 ** 31) ?? 0,
      nice: this.#whole("nice", -20, 19),
      after: this.#after(),
      requeueExit: this.#requeueExit(),
      array,
    };
    return this.#reason === undefined ? { ok: true, job } : { ok: false, reason: this.#reason };
  }

  /** Only its own keys: `[DEFAULT]` is there for the job's sections too and may hold what it likes. */
  #checkKeys(): void {
    for (const key of this.#section.own.keys()) {
      if ((KEYS as readonly string[]).includes(key)) continue;
      const near = nearest(key, KEYS);
      const instead = near === undefined ? `the keys are ${KEYS.join(", ")}` : `did you mean "${near}"?`;
      this.#refuse(
        key,
        `is not a key of this section; ${instead} (what is the job's own goes into a section of its own)`,
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

  /** A path of several lines is a line below it that was indented by mistake. */
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

  #whole(key: Key, least: number, most: number): number | undefined {
    const found = this.#text(key);
    if (found === undefined) return undefined;
    const number = /^[+-]?\d+$/.test(found) ? Number(found) : Number.NaN;
    if (number >= least && number <= most) return number + 0; // + 0: no -0
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

  /** An empty value counts as not given. */
  #text(key: Key): string | undefined {
    return strip(this.#section.get(key) ?? "") || undefined;
  }

  #refuse(key: string, what: string): void {
    const entry = this.#section.entry(key);
    const section = entry?.inherited ? "DEFAULT" : this.#section.name;
    this.#reason ??= `${place(this.#file, entry?.line ?? this.#section.line, section, key)}: ${what}`;
  }
}

function refuse(where: string, what: string): JobReading {
  return { ok: false, reason: `${where}: ${what}` };
}

function place(file: string, line: number, section: string | undefined, key: string | undefined): string {
  const inSection = section === undefined ? "" : `, section [${cut(section)}]`;
  return `${file}, line ${line}${inSection}${key === undefined ? "" : `, key ${quote(key)}`}`;
}

function lackOfSection(sections: readonly IniSection[]): string {
  const lack = "has neither a section [control] nor [fjd]";
  for (const { name, line } of sections) {
    const near = nearest(name.trim().toLowerCase(), [...SECTIONS]);
    if (near !== undefined) return `${lack}; did you mean [${near}] where line ${line} says [${cut(name)}]?`;
  }
  return `${lack}; write ${EXAMPLE}`;
}
