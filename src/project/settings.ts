import { parseDuration } from "../job/duration.js";
import { FjordError } from "../job/error.js";
import { type IniSection, parseIni } from "../job/ini-dialect.js";
import { nearest } from "../job/nearest.js";
import { cut } from "../job/quote.js";
import { LIKE_A_SHELL, readShell, SH } from "../job/shell.js";

/** Settings of a project. `settings.ini` may give them in section `[fjord]`. Durations are in seconds. */
export interface Settings {
  /** Kind of the file system; `auto` detects it. */
  readonly store: "auto" | "local" | "network";
  /** Time between two heartbeats of a worker. The dispatcher checks all heartbeats at this interval, too. */
  readonly beat: number;
  /** Number of checks in a row with an unchanged heartbeat after which a worker is lost. */
  readonly lostAfter: number;
  /** Longest time until polling finds a change that no event has reported. */
  readonly poll: number;
  /** Time without a change after which a file in the queue is complete, if it was not renamed into the queue. */
  readonly settle: number;
  /** Time between SIGTERM and SIGKILL when a job is stopped. */
  readonly grace: number;
  /** Backoff before the first retry. The backoff doubles with each further retry, up to 100 times this value. */
  readonly retryBackoff: number;
  /** Number of lost workers after which a job fails, because the job itself may kill them. */
  readonly lostLimit: number;
  /** Time without a job after which a worker leaves; by default infinite. */
  readonly idleLimit: number;
  /** Whether fjord forces submissions and outcomes to the disk (fsync) before they count. */
  readonly flush: boolean;
  /**
   * Users whose jobs run, in addition to the jobs of the worker's user: `own` (no other user), `group`, `anyone`, or names of
   * users separated by commas.
   */
  readonly jobOwners: string;
  /** Shell for the command lines of jobs that name no shell, with its options before `-c`. */
  readonly shell: string;
}

const SECTION = "fjord";

type Reader = (text: string) => number | boolean | string | undefined;
const seconds: Reader = (text) => parseDuration(text);
const secondsOrNone: Reader = (text) => (text === "none" ? Number.POSITIVE_INFINITY : parseDuration(text));
const count: Reader = (text) => (/^\d{1,6}$/.test(text) && Number(text) >= 1 ? Number(text) : undefined);
/** The value must be 2 or more. One unchanged heartbeat proves nothing, because heartbeats and checks are not synchronized. */
const looks: Reader = (text) => (Number(count(text) ?? 0) >= 2 ? Number(text) : undefined);
const WORDS: ReadonlyMap<string, boolean> = new Map([
  ["yes", true],
  ["true", true],
  ["no", false],
  ["false", false],
]);
const yes: Reader = (text) => WORDS.get(text.toLowerCase());

/** Name or number of a user, as POSIX and directory services allow it. */
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/;
const owners: Reader = (text) => (usersIn(text).every((user) => USER.test(user)) ? text : undefined);

/** Users and key words in the value of `job_owners`. */
export function usersIn(jobOwners: string): string[] {
  return jobOwners.split(",").map((user) => user.trim());
}

const KEYS: Record<string, { field: keyof Settings; read: Reader; like: string }> = {
  store: {
    field: "store",
    read: (text) => (["auto", "local", "network"].includes(text) ? text : undefined),
    like: "auto, local or network",
  },
  beat: { field: "beat", read: seconds, like: "a duration above 0, such as 2 s" },
  lost_after: { field: "lostAfter", read: looks, like: "a whole number from 2 to 999999, such as 5" },
  poll: { field: "poll", read: seconds, like: "a duration above 0, such as 1 s" },
  settle: { field: "settle", read: seconds, like: "a duration above 0, such as 2 s" },
  grace: { field: "grace", read: seconds, like: "a duration above 0, such as 5 s" },
  retry_backoff: { field: "retryBackoff", read: seconds, like: "a duration above 0, such as 1 s" },
  lost_limit: { field: "lostLimit", read: count, like: "a whole number from 1 to 999999, such as 10" },
  idle_limit: {
    field: "idleLimit",
    read: secondsOrNone,
    like: "a duration above 0, such as 10 min, or none",
  },
  flush: { field: "flush", read: yes, like: "yes or no" },
  job_owners: {
    field: "jobOwners",
    read: owners,
    like: "own, group, anyone, or names of users with commas between them",
  },
  shell: { field: "shell", read: readShell, like: LIKE_A_SHELL },
};

/**
 * Default settings for a kind of store. The times for a network file system are long, because an NFS server may stall every call
 * for three minutes (nfs(5), timeo and retrans).
 */
export function defaultSettings(kind: "local" | "network"): Settings {
  const common = {
    store: "auto",
    grace: 5,
    retryBackoff: 1,
    lostLimit: 10,
    idleLimit: Number.POSITIVE_INFINITY,
    jobOwners: "own",
    shell: SH,
  } as const;
  return kind === "local"
    ? { ...common, beat: 2, lostAfter: 5, poll: 1, settle: 2, flush: false }
    : { ...common, beat: 15, lostAfter: 20, poll: 3, settle: 10, flush: true };
}

/**
 * Reads the text of `settings.ini`.
 *
 * @throws FjordError `bad-settings`, which names file, section and key
 */
export function readSettings(file: string, text: Uint8Array): Partial<Settings> {
  const parsed = parseIni(text, { suggested: SECTION });
  if (!parsed.ok) {
    throw new FjordError(
      "bad-settings",
      `${file}, line ${parsed.line}: ${parsed.key === undefined ? "" : `key "${parsed.key}" `}${parsed.problem}.`,
      "Correct the file.",
    );
  }
  for (const section of parsed.sections.values()) if (section.name !== SECTION) throw foreign(file, section);
  const said: Partial<Record<keyof Settings, unknown>> = {};
  for (const [key, value] of parsed.sections.get(SECTION) ?? parsed.defaults) {
    const known = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    if (known === undefined) {
      const near = nearest(key, Object.keys(KEYS));
      throw new FjordError(
        "bad-settings",
        `${file}, [${SECTION}]: unknown key "${key}".`,
        near ? `Did you mean "${near}"?` : `Known keys: ${Object.keys(KEYS).join(", ")}.`,
      );
    }
    const read = known.read(value);
    if (read === undefined || read === 0) {
      throw new FjordError(
        "bad-settings",
        `${file}, [${SECTION}] ${key}: "${value}" is not ${known.like}.`,
        "Correct the line, or remove it to use the default.",
      );
    }
    said[known.field] = read;
  }
  return said as Partial<Settings>;
}

function foreign(file: string, { name, line }: IniSection): FjordError {
  const near = nearest(name.trim().toLowerCase(), [SECTION]);
  return new FjordError(
    "bad-settings",
    `${file}, line ${line}: unknown section [${cut(name)}].`,
    near ? `Did you mean [${near}]?` : `All settings belong in the section [${SECTION}].`,
  );
}
