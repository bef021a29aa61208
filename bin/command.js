import fs from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

// `npm install -g .` may link a clone without running its scripts. Such a clone is set up at its first use.
const built = new URL("../dist/bundle/cli/fjord.js", import.meta.url);
const setup = fileURLToPath(new URL("../scripts/setup.js", import.meta.url));
if (!fs.existsSync(built) && fs.existsSync(setup)) {
  process.stderr.write("fjord: setting up this clone at its first use\n");
  const { spawnSync } = await import("node:child_process");
  const { status } = spawnSync(process.execPath, [setup], { stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

/** Loads a command from its bundle, or from the compiled files while coverage is measured. */
export async function load(name) {
  if (process.env.NODE_V8_COVERAGE !== undefined) {
    await import(`../dist/src/cli/${name}.js`); // without the cache below, which makes the counts less exact
    return;
  }
  // Node 22.1 and later can keep compiled code for the next start. The cache is in this package, because everybody can write to
  // the system's temporary directory.
  module.enableCompileCache?.(fileURLToPath(new URL("../dist/.compile-cache", import.meta.url)));
  await import(`../dist/bundle/cli/${name}.js`);
}
