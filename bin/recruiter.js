#!/usr/bin/env node
import "./build-once.js";

await import("../dist/src/cli/recruiter.js");
