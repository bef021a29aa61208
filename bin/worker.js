#!/usr/bin/env node
import { load } from "./command.js";

await load("worker");
