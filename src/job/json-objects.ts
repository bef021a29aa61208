import { LosslessNumber, parse, stringify } from "lossless-json";
import { FjordError } from "./error.js";
import { visible } from "./quote.js";
import { type Dimension, tuples, type Values } from "./sweep.js";

/**
 * Reads a JSON array of objects. Each object becomes an element, and its keys become names. A number keeps the digits of the
 * text, because `JSON.parse` turns 9007199254740993 into 9007199254740992, so that two seeds could become one.
 *
 * @param what name of the text, for messages
 * @throws FjordError `bad-usage`, with the position of the mistake
 */
export function readObjects(what: string, text: string): Dimension {
  const elements = legible(what, () => parse(text));
  if (!Array.isArray(elements)) throw new FjordError("bad-usage", `${what} is not an array of objects.`);
  return tuples(
    what,
    elements.map((element, i) => valuesOf(`${what}: element ${i + 1}`, element)),
  );
}

function valuesOf(what: string, element: unknown): Values {
  const isObject = typeof element === "object" && element !== null && !Array.isArray(element);
  if (!isObject || element instanceof LosslessNumber) {
    throw new FjordError("bad-usage", `${what} is not an object.`);
  }
  return new Map(
    Object.entries(element).map(([name, value]) => [name, legible(what, () => textOfValue(value))]),
  );
}

/** Text of a value: a string as it is, null as empty text, any other value as JSON. */
function textOfValue(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null ? "" : (stringify(value) ?? "");
}

function legible<R>(what: string, read: () => R): R {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new FjordError("bad-usage", `${what} is nested too deeply.`);
    if (!(error instanceof SyntaxError)) throw error;
    throw new FjordError("bad-usage", `${what}: ${visible(error.message)}.`);
  }
}
