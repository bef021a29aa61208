#!/usr/bin/env node
import "../dist/src/cli/recruiter.js";
