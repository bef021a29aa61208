/** Loads a command: bundled; as it was compiled, file by file, while coverage is measured. */
export async function load(name) {
  if (process.env.NODE_V8_COVERAGE === undefined) await import(`../dist/bundle/cli/${name}.js`);
  else await import(`../dist/src/cli/${name}.js`);
}
