#!/usr/bin/env node
import "./compile-cache.js";
import "./build-once.js";

await import("../dist/src/cli/fjord.js");
