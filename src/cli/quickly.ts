import { EXIT } from "./main.js";
import { version } from "./version.js";

/** Names and paths that yargs, too, takes as they are. */
const PLAIN = /^[\w./~][\w./~-]*$/;

/**
 * What is asked for over and over, `fjord --version` and `fjord status [--json] [--project X]`, without yargs, whose
 * loading takes as long as Node's own start. Whatever is not plainly that is left to yargs, and so is its refusal.
 *
 * @returns the exit code; undefined: this is for yargs
 */
export async function quickly(words: readonly string[]): Promise<number | undefined> {
  if (words.length === 1 && words[0] === "--version") {
    process.stdout.write(`${version()}\n`);
    return EXIT.ok;
  }
  const args = readStatus(words);
  if (args === undefined) return undefined;
  const { verb } = await import("./verbs/status.js");
  return verb.run({ _: [], $0: "fjord", ...args });
}

function readStatus(words: readonly string[]): { json: boolean; project: string | undefined } | undefined {
  const rest = words[0] === "status" ? words.slice(1) : [...words];
  let json = false;
  let project: string | undefined;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--json") json = true;
    else if (word === "--project" && PLAIN.test(rest[0] ?? "")) project = rest.shift();
    else return undefined;
  }
  return { json, project };
}
