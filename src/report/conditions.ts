import { parseDuration } from "../job/duration.js";
import { FjordError } from "../job/error.js";
import { exitOf, OUTCOMES } from "../job/outcome.js";
import { quote } from "../job/quote.js";
import { parseSize } from "../job/size.js";
import type { AttemptRecord } from "./attempts.js";

/** What can be asked of a job's last attempt, and how the other side of the question is read. */
const FIELDS = {
  duration: { of: (one) => one.seconds, read: parseDuration, such: "90, 30m or 1h 30m" },
  cpu: { of: (one) => one.cpu && one.cpu.user + one.cpu.system, read: parseDuration, such: "90, 30m or 1h" },
  memory: { of: (one) => one.memory, read: parseSize, such: "500MB or 2GiB" },
  exit: {
    of: ({ outcome }) => exitOf(outcome),
    read: readNumber,
    such: "3",
  },
  attempt: { of: (one) => one.attempt, read: readNumber, such: "2" },
  outcome: { of: ({ outcome }) => outcome?.kind, read: readOutcome, such: OUTCOMES.join(", ") },
  signal: {
    of: ({ outcome }) => (outcome?.kind === "failed" ? outcome.signal : undefined),
    read: readText,
    such: "SIGKILL",
  },
  host: { of: (one) => one.host, read: readText, such: "node7" },
  worker: { of: (one) => one.worker, read: readText, such: "node7-w-0k2j8xqz" },
} satisfies Record<
  string,
  {
    of: (one: AttemptRecord) => number | string | null | undefined;
    read: (text: string) => number | string | undefined;
    such: string;
  }
>;

const QUESTION = /^\s*(\w+)\s*(<=|>=|!=|==?|<|>|~)\s*(.*?)\s*$/s;

/**
 * Reads a question such as `duration > 1h`. The operators are `<`, `<=`, `=`, `!=`, `>=`, `>`, and `~`: holds this text. A
 * job of which the answer is not known is never meant.
 *
 * @throws FjordError `bad-usage`
 */
export function readCondition(text: string): (one: AttemptRecord) => boolean {
  const [, name = "", operator = "", value = ""] = QUESTION.exec(text) ?? [];
  if (!Object.hasOwn(FIELDS, name)) {
    throw new FjordError(
      "bad-usage",
      `--where: found ${quote(text)}.`,
      `Write FIELD OPERATOR VALUE, such as 'duration > 1h'; the fields are ${Object.keys(FIELDS).join(", ")}.`,
    );
  }
  const field = FIELDS[name as keyof typeof FIELDS];
  const wanted = field.read(value);
  if (wanted === undefined) {
    throw new FjordError(
      "bad-usage",
      `--where: ${quote(value)} is no ${name}.`,
      `Write such as ${field.such}.`,
    );
  }
  return (one) => {
    const found = field.of(one);
    return found !== undefined && found !== null && holds(found, operator, wanted);
  };
}

function holds(found: number | string, operator: string, wanted: number | string): boolean {
  switch (operator) {
    case "<":
      return found < wanted;
    case "<=":
      return found <= wanted;
    case ">":
      return found > wanted;
    case ">=":
      return found >= wanted;
    case "!=":
      return found !== wanted;
    case "~":
      return String(found).includes(String(wanted));
    default:
      return found === wanted;
  }
}

function readNumber(text: string): number | undefined {
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

/** Or a part of one's name, for `~`. */
function readOutcome(text: string): string | undefined {
  return text !== "" && OUTCOMES.some((kind) => kind.includes(text)) ? text : undefined;
}

function readText(text: string): string | undefined {
  return text === "" ? undefined : text;
}
