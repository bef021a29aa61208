// Prepares a fresh clone: installs the dependencies of the lock file, then compiles the sources. Installed dependencies are kept.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

// "npm install -g ." and "npm install --package-lock-only" run this script. Their options must not reach the npm below.
const env = { ...process.env };
const OPTIONS = "global prefix local_prefix location package_lock_only dry_run allow_scripts";
for (const name of OPTIONS.split(" ")) delete env[`npm_config_${name}`];

function run(command, args, cwd = root) {
  const { status, error } = spawnSync(command, args, { cwd, env, stdio: ["ignore", 2, 2] });
  if (status === 0) return;
  const why = error ? `: ${error.message}` : "";
  process.stderr.write(`setup: "${command} ${args.join(" ")}" failed${why}\n`);
  process.exit(1);
}

function packagesOf(lockFile) {
  try {
    return JSON.parse(fs.readFileSync(path.join(root, lockFile), "utf8")).packages ?? {};
  } catch (error) {
    if (error.code === "ENOENT" || error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Whether node_modules has each package of the lock file. npm leaves out optional packages of other platforms. */
function isInstalled() {
  const { "": _, ...wanted } = packagesOf("package-lock.json");
  const there = packagesOf("node_modules/.package-lock.json"); // npm writes this file at the end of each install
  return Object.entries(wanted).every(([dir, { version, optional }]) =>
    dir in there ? there[dir].version === version : optional,
  );
}

/**
 * Runs "npm ci" in a directory of its own, because "npm ci" first removes node_modules. The old tree stays when npm fails,
 * and two set-ups at the same time do not remove each other's files.
 */
function install() {
  const dir = fs.mkdtempSync(path.join(root, ".setup-"));
  process.on("exit", () => fs.rmSync(dir, { recursive: true, force: true }));
  for (const file of ["package.json", "package-lock.json", ".npmrc"]) {
    fs.copyFileSync(path.join(root, file), path.join(dir, file));
  }
  // The compilers are development dependencies, also where NODE_ENV is "production".
  const kinds = ["--include=dev", "--include=optional"];
  run("npm", ["ci", "--ignore-scripts", "--loglevel=error", ...kinds], dir);
  const modules = path.join(root, "node_modules");
  try {
    if (fs.existsSync(modules)) fs.renameSync(modules, path.join(dir, "old"));
    fs.renameSync(path.join(dir, "node_modules"), modules);
  } catch (error) {
    if (isInstalled()) return; // another set-up has finished first
    if (fs.existsSync(path.join(dir, "old"))) fs.renameSync(path.join(dir, "old"), modules);
    throw error;
  }
}

/** Removes compiled files that have no source any more. Otherwise a test that was moved would run twice. */
function removeStale() {
  for (const folder of ["src", "scripts", "test"]) {
    const compiled = path.join(root, "dist", folder);
    if (!fs.existsSync(compiled)) continue;
    for (const file of fs.readdirSync(compiled, { recursive: true, encoding: "utf8" })) {
      const source = path.join(root, folder, file.replace(/\.(?:js|js\.map|d\.ts)$/, ".ts"));
      if (!fs.existsSync(source)) fs.rmSync(path.join(compiled, file), { recursive: true, force: true });
    }
  }
}

if (!isInstalled()) install();
removeStale();
run("node", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"]);
run("node", ["scripts/bundle.js"]);
