#!/usr/bin/env node
import "./build-once.js";

await import("../dist/src/cli/fjord.js");
