#!/usr/bin/env node
import "../dist/src/cli/dispatcher.js";
