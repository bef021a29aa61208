import { parseDuration } from "../job/duration.js";
import { FjordError } from "../job/error.js";
import { type IniSection, parseIni } from "../job/ini-dialect.js";
import { nearest } from "../job/nearest.js";
import { cut } from "../job/quote.js";

/** What `settings.ini` may say under `[fjord]`; durations in seconds. */
export interface Settings {
  /** What the directory's file system is taken for; `auto` asks it. */
  readonly store: "auto" | "local" | "network";
  /** Between two heartbeats of a worker, and two looks of the dispatcher at them. */
  readonly beat: number;
  /** A worker is lost after so many looks in a row at an unchanged heartbeat. */
  readonly lostAfter: number;
  /** The polling floor: how long a change goes unseen at most when no bell rings. */
  readonly poll: number;
  /** A file that was not renamed into the queue counts once it has not changed for so long. */
  readonly settle: number;
  /** Between SIGTERM and SIGKILL for a job that is to stop. */
  readonly grace: number;
  /** Before the first retry; doubles with each further one, up to 100 times. */
  readonly retryBackoff: number;
  /** A job whose worker was lost so many times is given up: it is taken for what kills them. */
  readonly lostLimit: number;
  /** A worker that had nothing to do for so long leaves; endless if not said. */
  readonly idleLimit: number;
  /** Whether outcomes and submissions are forced to the disk (fsync) before they count. */
  readonly flush: boolean;
  /** Whose job files are run besides one's own: `own` (nobody's), `group`, `anyone`, or users, with commas. */
  readonly jobOwners: string;
}

const SECTION = "fjord";

type Reader = (text: string) => number | boolean | string | undefined;
const seconds: Reader = (text) => parseDuration(text);
const secondsOrNone: Reader = (text) => (text === "none" ? Number.POSITIVE_INFINITY : parseDuration(text));
const count: Reader = (text) => (/^\d{1,6}$/.test(text) && Number(text) >= 1 ? Number(text) : undefined);
/** One unchanged look proves nothing: a worker's beat and the look at it are not in step. */
const looks: Reader = (text) => (Number(count(text) ?? 0) >= 2 ? Number(text) : undefined);
const WORDS: ReadonlyMap<string, boolean> = new Map([
  ["yes", true],
  ["true", true],
  ["no", false],
  ["false", false],
]);
const yes: Reader = (text) => WORDS.get(text.toLowerCase());

/** A user's name or number, as POSIX and directory services have them. */
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/;
const owners: Reader = (text) => (usersIn(text).every((user) => USER.test(user)) ? text : undefined);

/** The users that `job_owners` names. */
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
};

/**
 * The settings for a kind of store; what `settings.ini` does not say has these defaults. A network file
 * system gets the slow ones: an NFS server may stall every call for three minutes (nfs(5), timeo and retrans).
 */
export function defaultSettings(kind: "local" | "network"): Settings {
  const common = {
    store: "auto",
    grace: 5,
    retryBackoff: 1,
    lostLimit: 10,
    idleLimit: Number.POSITIVE_INFINITY,
    jobOwners: "own",
  } as const;
  return kind === "local"
    ? { ...common, beat: 2, lostAfter: 5, poll: 1, settle: 2, flush: false }
    : { ...common, beat: 15, lostAfter: 20, poll: 3, settle: 10, flush: true };
}

/**
 * Reads `settings.ini`'s text.
 *
 * @throws FjordError `bad-settings`, naming file, section and key
 */
export function readSettings(file: string, text: Uint8Array): Partial<Settings> {
  const parsed = parseIni(text, { suggested: SECTION });
  if (!parsed.ok) {
    throw new FjordError(
      "bad-settings",
      `${file}, line ${parsed.line}: ${parsed.key === undefined ? "" : `key "${parsed.key}" `}${parsed.problem}.`,
      "Mend the file.",
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
        "Mend the line, or remove it for the default.",
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
    near ? `Did you mean [${near}]?` : `All settings stand in the section [${SECTION}].`,
  );
}
