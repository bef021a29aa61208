// The commands, each in a few files with all that it needs: the 150 small ones that it would load else take a quarter of
// its time. Run after the compiler. They lie as deep below the package as what they are made of.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const outdir = path.join(root, "dist", "bundle", "cli");
const commands = ["fjord", "recruiter", "dispatcher", "worker", "hired-worker"];

fs.rmSync(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: commands.map((name) => `dist/src/cli/${name}.js`),
  outdir,
  bundle: true,
  splitting: true,
  chunkNames: "[name]-[hash]",
  format: "esm",
  platform: "node",
  target: "node20",
  external: ["pino"], // it looks for its own files
  // For what is CommonJS among the dependencies.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
