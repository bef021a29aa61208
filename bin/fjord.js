#!/usr/bin/env node
import "../dist/src/cli/fjord.js";
