import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** `FJORD_TEST_PYTHON` names another Python, whose configparser is then compared with fjord's reader. */
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

/** Before Python 3.10, a section's name ended at the first `]`. fjord follows the later versions. */
const IS_RECENT = `import configparser as c, sys
header = c.RawConfigParser.SECTCRE.match("[a]b]").group("header")
sys.exit(0 if header == "a]b" else "its configparser is too old: Python " + sys.version)`;

/** The reason why Python cannot run the comparison, or undefined. */
export function whyNoPython(): string | undefined {
  const { error, status, stderr } = spawnSync(PYTHON, ["-c", IS_RECENT], { encoding: "utf8" });
  return error?.message ?? (status === 0 ? undefined : stderr.trim());
}

/** Reads all texts with configparser, in one Python process. */
export function readWithPython(items: ({ path: string } | { text: string })[]): PythonReadings[] {
  const input = JSON.stringify(
    items.map((item) => ("path" in item ? item : { base64: Buffer.from(item.text).toString("base64") })),
  );
  const run = spawnSync(PYTHON, [ORACLE], { input, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (run.status !== 0) throw new Error(`python3 failed: ${run.error?.message ?? run.stderr}`);
  return JSON.parse(run.stdout) as PythonReadings[];
}
