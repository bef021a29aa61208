import "./small-heap.js";
import { mainOfDaemon } from "./main.js";
import type { Program } from "./program.js";
import { runProgram } from "./run-program.js";

const DISPATCHER: Program = {
  name: "dispatcher",
  usage: "dispatcher",
  about:
    "Watches the queue, hands jobs to workers, and exits when all jobs have ended: " +
    "with 0 if all succeeded, with 1 if some failed.",
  verbs: [],
  otherwise: () => import("./verbs/dispatch.js"),
};

mainOfDaemon("dispatcher", () => runProgram(DISPATCHER, process.argv.slice(2)));
