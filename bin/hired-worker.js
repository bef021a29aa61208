#!/usr/bin/env node
import "./build-once.js";
import { load } from "./command.js";

await load("hired-worker");
