import { EXIT } from "./main.js";
import { version } from "./version.js";

/** Matches names and paths that yargs would not change. */
const PLAIN = /^[\w./~][\w./~-]*$/;

/**
 * Runs `fjord --version` and `fjord status [--json] [--project X]` without yargs. Scripts call these commands often, and loading
 * yargs takes as long as starting Node. All other words go to yargs, which also refuses invalid ones.
 *
 * @returns the exit code; undefined for other words
 */
export async function quickStatus(words: readonly string[]): Promise<number | undefined> {
  if (words.length === 1 && words[0] === "--version") {
    process.stdout.write(`${version()}\n`);
    return EXIT.ok;
  }
  const args = readStatus(words);
  if (args === undefined) return undefined;
  const { verb } = await import("./verbs/status.js");
  return verb.run(args);
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
