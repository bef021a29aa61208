import "./small-heap.js";
import { mainOfDaemon } from "./main.js";
import type { Program } from "./program.js";
import { runProgram } from "./run-program.js";

const WORKER: Program = {
  name: "worker",
  usage: "worker",
  about: "Runs the jobs that a dispatcher puts on its desk, one at a time, until it is fired.",
  verbs: [],
  otherwise: () => import("./verbs/work.js"),
};

mainOfDaemon("worker", () => runProgram(WORKER, process.argv.slice(2)));
