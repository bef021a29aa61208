import { main } from "./main.js";
import type { Program } from "./program.js";
import { quickStatus } from "./quick-status.js";

const FJORD: Program = {
  name: "fjord",
  usage: "fjord [verb]",
  about: "Shows a project, and changes its jobs.",
  verbs: [
    [
      "status",
      "show the project at a glance, as fjord does without a verb",
      () => import("./verbs/status.js"),
    ],
    [
      "submit [files..]",
      "put jobs into the queue: files, folders, or a command",
      () => import("./verbs/submit.js"),
    ],
    ["top", "show the status live", () => import("./verbs/top.js")],
    [
      "run [files..]",
      "run jobs on this host now, and exit with their outcome",
      () => import("./verbs/run.js"),
    ],
    ["list [jobs..]", "list jobs, one on each line", () => import("./verbs/list.js")],
    ["explain [jobs..]", "explain why jobs wait, or why they failed", () => import("./verbs/explain.js")],
    ["show [jobs..]", "show everything that is known about jobs", () => import("./verbs/show.js")],
    ["log [jobs..]", "print the output of jobs, also while they run", () => import("./verbs/log.js")],
    ["history [jobs..]", "list every attempt, as a table, CSV or JSON", () => import("./verbs/history.js")],
    [
      "cancel [jobs..]",
      "take jobs out of the queue, and stop running ones",
      () => import("./verbs/cancel.js"),
    ],
    ["hold [jobs..]", "keep waiting jobs from being run", () => import("./verbs/hold.js")],
    ["release [jobs..]", "put held jobs back into the queue", () => import("./verbs/release.js")],
    ["edit [jobs..]", "change the file of a waiting job", () => import("./verbs/edit.js")],
    ["clean [jobs..]", "remove jobs that ended long ago, with their logs", () => import("./verbs/clean.js")],
    ["wait [jobs..]", "wait until jobs have ended", () => import("./verbs/wait.js")],
    ["retry [jobs..]", "put jobs that failed back into the queue", () => import("./verbs/retry.js")],
    [
      "results [jobs..]",
      "list the parameters and results of jobs, as a table, CSV or JSON",
      () => import("./verbs/results.js"),
    ],
    [
      "progress <done> [text..]",
      "report the progress of a job, from inside the job",
      () => import("./verbs/progress.js"),
    ],
    [
      "completion <shell>",
      "print a script with which a shell completes words",
      () => import("./verbs/completion.js"),
    ],
    ["doctor [dir]", "test whether fjord can work in a directory", () => import("./verbs/doctor.js")],
  ],
  otherwise: () => import("./verbs/status.js"),
  notes: "recruiter, dispatcher and worker run the jobs. fjord help VERB has examples.",
};

main("fjord", async () => {
  const words = process.argv.slice(2);
  const code = await quickStatus(words);
  if (code !== undefined) return code;
  const { runProgram } = await import("./run-program.js");
  return runProgram(FJORD, words);
});
