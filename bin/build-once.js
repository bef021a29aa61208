import fs from "node:fs";
import { fileURLToPath } from "node:url";

// A clone that was only linked (`npm install -g .` may run no scripts) is set up at its first use.
const built = new URL("../dist/bundle/cli/fjord.js", import.meta.url);
const setup = fileURLToPath(new URL("../scripts/setup.js", import.meta.url));
if (!fs.existsSync(built) && fs.existsSync(setup)) {
  process.stderr.write("fjord: first use of this clone: setting it up\n");
  const { spawnSync } = await import("node:child_process");
  const { status } = spawnSync(process.execPath, [setup], { stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
