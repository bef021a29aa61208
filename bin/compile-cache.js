import module from "node:module";
import { fileURLToPath } from "node:url";

// Node 22.1 and later can keep what they compiled for the next start; here, as the system's temporary directory belongs
// to everybody. Not while coverage is measured: it would be less exact.
if (process.env.NODE_V8_COVERAGE === undefined) {
  module.enableCompileCache?.(fileURLToPath(new URL("../dist/.compile-cache", import.meta.url)));
}
