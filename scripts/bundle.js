// Bundles each command and its modules into a few files. Loading the 150 single modules would take a quarter of a command's
// time. This script runs after the compiler. The bundles lie as deep below the package as dist/src, so that relative paths hold.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const outdir = path.join(root, "dist", "bundle", "cli");

/**
 * yargs in a bundle reads the current directory when it is loaded, and fails if the directory no longer exists. yargs only
 * searches for a package.json from there, and fjord does not need that file.
 */
const yargsWithoutDirectory = {
  name: "yargs without the current directory",
  setup(build) {
    build.onLoad({ filter: /yargs[\\/]lib[\\/]platform-shims[\\/]esm\.mjs$/ }, ({ path }) => {
      const text = fs.readFileSync(path, "utf8");
      const contents = text.replace("mainFilename || process.cwd()", 'mainFilename || "/"');
      if (contents === text)
        throw new Error(`${path} has changed. Find its call of process.cwd() and replace it here.`);
      return { contents, loader: "js" };
    });
  },
};

/** Libraries that many runs of a command do not need. Each is a file of its own, which the bundles load when they need it. */
const libraries = ["yargs", "execa"];
const librariesApart = {
  name: "libraries apart",
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(?:${libraries.join("|")})$`) }, ({ path, kind }) =>
      kind === "entry-point" ? undefined : { path: `./${path}.js`, external: true },
    );
  },
};

const options = {
  absWorkingDir: root,
  outdir,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // CommonJS modules among the dependencies call `require`.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  plugins: [yargsWithoutDirectory, librariesApart],
  logLevel: "warning",
};
const entryPoints = (...commands) => commands.map((name) => `dist/src/cli/${name}.js`);

fs.rmSync(outdir, { recursive: true, force: true });
await build({ ...options, entryPoints: libraries });
// These commands share files, and a command loads only the files that it needs.
await build({
  ...options,
  entryPoints: entryPoints("fjord", "recruiter", "worker", "hired-worker"),
  splitting: true,
  chunkNames: "[name]-[hash]",
});
// All jobs wait while the dispatcher is loaded. One large file is loaded sooner than the 60 small ones that it would need.
await build({ ...options, entryPoints: entryPoints("dispatcher") });
