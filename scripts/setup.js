// What a fresh clone needs before anything runs: the dependencies of the lock file, and the compiled sources.
// Does nothing that is done already.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

// Called by "npm install -g .", this npm must not install globally, too.
const env = { ...process.env };
for (const name of ["global", "prefix", "local_prefix", "location"]) delete env[`npm_config_${name}`];

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    process.stderr.write(
      `setup: "${command} ${args.join(" ")}" failed${error ? `: ${error.message}` : ""}\n`,
    );
    process.exit(1);
  }
}

function modified(file) {
  return fs.statSync(path.join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

// Not "npm ci": it refuses a lock file from which a registry has left out packages for other platforms.
// npm writes this file at the end of each install: it is older than the lock file when that has changed.
if (modified("node_modules/.package-lock.json") < modified("package-lock.json")) {
  run("npm", ["install", "--no-save", "--ignore-scripts", "--loglevel=error"]);
}
run("node", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"]);
run("node", ["scripts/bundle.js"]);
