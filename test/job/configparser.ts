import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Another Python than the one on PATH can be set, to try fjord's reader against its configparser. */
const PYTHON = process.env.FJORD_TEST_PYTHON ?? "python3";
const ORACLE = fileURLToPath(new URL("../../../test/job/configparser_oracle.py", import.meta.url));

export type Values = [key: string, value: string][];
export type PythonReading =
  | { error: string; line: number | null }
  | { sections: [name: string, values: Values][]; defaults: Values };
export interface PythonReadings {
  plain: PythonReading;
  strict: PythonReading | null;
  lenient: PythonReading | null;
}

/** Before Python 3.10 a section's name ended at the first `]`; fjord goes by what came after. */
const IS_RECENT = `import configparser as c, sys
header = c.RawConfigParser.SECTCRE.match("[a]b]").group("header")
sys.exit(0 if header == "a]b" else "its configparser is too old: Python " + sys.version)`;

/** Why Python cannot be asked, or undefined. */
export function whyNoPython(): string | undefined {
  const { error, status, stderr } = spawnSync(PYTHON, ["-c", IS_RECENT], { encoding: "utf8" });
  return error?.message ?? (status === 0 ? undefined : stderr.trim());
}

/** Has all texts read by configparser, in one process. */
export function readWithPython(items: ({ path: string } | { text: string })[]): PythonReadings[] {
  const input = JSON.stringify(
    items.map((item) => ("path" in item ? item : { base64: Buffer.from(item.text).toString("base64") })),
  );
  const run = spawnSync(PYTHON, [ORACLE], { input, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (run.status !== 0) throw new Error(`python3 failed: ${run.error?.message ?? run.stderr}`);
  return JSON.parse(run.stdout) as PythonReadings[];
}
