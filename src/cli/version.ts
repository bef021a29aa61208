import fs from "node:fs";
import path from "node:path";
import { PACKAGE_ROOT } from "../project/package-root.js";

/** The package's version. */
export function version(): string {
  const file = path.join(PACKAGE_ROOT, "package.json");
  return (JSON.parse(fs.readFileSync(file, "utf8")) as { version: string }).version;
}
