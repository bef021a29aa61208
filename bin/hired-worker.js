#!/usr/bin/env node
import "../dist/src/cli/hired-worker.js";
