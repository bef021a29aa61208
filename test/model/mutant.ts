import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as Hunt from "./hunt.js";
import type { Mutation } from "./mutations.js";

const BUILT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

/**
 * Loads the model with broken code: a copy of the compiled files with the mutation's edits.
 *
 * @throws Error when a text to replace is not there exactly once. In that case the code has changed, and the mutation
 * must be adapted.
 */
export async function mutate(mutation: Mutation): Promise<typeof Hunt> {
  const name = mutation.name.replace(/\W+/g, "-");
  const copy = path.join(BUILT, "mutants", `${name}.${process.pid}`);
  for (const part of ["src", "test/model", "test/checker", "test/rig"]) {
    fs.cpSync(path.join(BUILT, part), path.join(copy, part), { recursive: true });
  }
  try {
    for (const { file, from, to } of mutation.edits) {
      const target = path.join(copy, file);
      const pieces = fs.readFileSync(target, "utf8").split(from);
      if (pieces.length !== 2) throw new Error(`${file} has ${pieces.length - 1} times: ${from}`);
      fs.writeFileSync(target, pieces.join(to));
    }
    const url = pathToFileURL(path.join(copy, "test", "model", "hunt.js"));
    return (await import(url.href)) as typeof Hunt;
  } finally {
    fs.rmSync(copy, { recursive: true });
  }
}
