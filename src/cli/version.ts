import fs from "node:fs";

/** The package's version. */
export function version(): string {
  const file = new URL("../../../package.json", import.meta.url);
  return (JSON.parse(fs.readFileSync(file, "utf8")) as { version: string }).version;
}
