import { parseDuration } from "../job/duration.js";
import { FjordError } from "../job/error.js";
import { exitOf, OUTCOMES } from "../job/outcome.js";
import { quote } from "../job/quote.js";
import { parseSize } from "../job/size.js";
import type { AttemptRecord } from "../ledger/attempts.js";

/** Fields of a job's last attempt that a condition can name. `read` parses the value on the right. */
const FIELDS = {
  duration: { of: (one) => one.seconds, read: parseDuration, example: "90, 30m or 1h 30m" },
  cpu: {
    of: (one) => one.cpu && one.cpu.user + one.cpu.system,
    read: parseDuration,
    example: "90, 30m or 1h",
  },
  memory: { of: (one) => one.memory, read: parseSize, example: "500MB or 2GiB" },
  exit: {
    of: ({ outcome }) => exitOf(outcome),
    read: readNumber,
    example: "3",
  },
  attempt: { of: (one) => one.attempt, read: readNumber, example: "2" },
  outcome: { of: ({ outcome }) => outcome?.kind, read: readOutcome, example: OUTCOMES.join(", ") },
  signal: {
    of: ({ outcome }) => (outcome?.kind === "failed" ? outcome.signal : undefined),
    read: readText,
    example: "SIGKILL",
  },
  host: { of: (one) => one.host, read: readText, example: "node7" },
  worker: { of: (one) => one.worker, read: readText, example: "node7-w-0k2j8xqz" },
} satisfies Record<
  string,
  {
    of: (one: AttemptRecord) => number | string | null | undefined;
    read: (text: string) => number | string | undefined;
    example: string;
  }
>;

const CONDITION = /^\s*(\w+)\s*(<=|>=|!=|==?|<|>|~)\s*(.*)$/s;

/**
 * Reads a condition such as `duration > 1h`. The operators are `<`, `<=`, `=`, `!=`, `>=`, `>`, and `~` (contains this text). If
 * the field of an attempt is not known, the condition does not hold.
 *
 * @throws FjordError `bad-usage`
 */
export function readCondition(text: string): (one: AttemptRecord) => boolean {
  const [, name = "", operator = "", value = ""] = CONDITION.exec(text.trimEnd()) ?? [];
  if (!Object.hasOwn(FIELDS, name)) {
    throw new FjordError(
      "bad-usage",
      `--where: ${quote(text)} is not a condition.`,
      `Write FIELD OPERATOR VALUE, such as 'duration > 1h'; the fields are ${Object.keys(FIELDS).join(", ")}.`,
    );
  }
  const field = FIELDS[name as keyof typeof FIELDS];
  const wanted = field.read(value);
  if (wanted === undefined) {
    throw new FjordError(
      "bad-usage",
      `--where: ${quote(value)} is not a valid ${name}.`,
      `Write for example ${field.example}.`,
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

/** An outcome, or a part of its name for `~`. */
function readOutcome(text: string): string | undefined {
  return text !== "" && OUTCOMES.some((kind) => kind.includes(text)) ? text : undefined;
}

function readText(text: string): string | undefined {
  return text === "" ? undefined : text;
}
