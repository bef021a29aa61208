#!/usr/bin/env node
import "./compile-cache.js";
import "./build-once.js";
import { load } from "./command.js";

await load("recruiter");
