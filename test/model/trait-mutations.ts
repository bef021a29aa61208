import { edit, type Mutation } from "./mutations.js";

/** Mutations that break rules which matter only with certain traits, one rule each. */
export const TRAIT_MUTATIONS: readonly Mutation[] = [
  {
    name: "S4: the command takes the job from the desk itself",
    found: /reported as done|held while it runs|begun, and not|published twice|overlap/,
    traits: ["operator"],
    edits: [edit("src/jobs/cancelling.js", "if (worker !== undefined) {", "if (false) {")],
  },
  {
    name: "S4: a running job is held like a waiting one",
    found: /held while it runs|reported as done/,
    traits: ["operator"],
    isHard: true,
    edits: [
      edit("src/worker/notes.js", "if (!lane.has(file))", "if (true)"),
      edit("src/worker/notes.js", "if (lock === undefined)\n            return false;", ""),
      edit(
        "src/worker/notes.js",
        "finally {\n            await lock.release();",
        "finally {\n            await lock?.release();",
      ),
    ],
  },
  {
    name: "S6: the job of a fired worker is cancelled",
    found: /ends where it has to/,
    traits: ["fired"],
    edits: [
      edit(
        "src/worker/publish.js",
        'outcome.by === undefined ? "jobqueue" : "jobcancelled"',
        'outcome.by === undefined ? "jobcancelled" : "jobcancelled"',
      ),
    ],
  },
  {
    name: "S4: a worker that leaves does not check for jobs that have arrived meanwhile",
    found: /reported as gone|no progress|lost too early/,
    traits: ["fired"],
    isHard: true,
    edits: [
      edit(
        "src/worker/desk.js",
        'if (!isErrno(error, "ENOENT", "ENOTEMPTY", "EEXIST"))\n                    throw error;',
        "return;",
      ),
    ],
  },
  {
    name: "S9: an earlier job with the same name counts, although its logs were removed",
    found: /fails no oftener|failures of its own/,
    traits: ["cleaned"],
    edits: [
      edit("src/ledger/lives.js", "one.stamps.length === 0 || life.has(one)", "true"),
      edit(
        "src/ledger/lives.js",
        "one.attempt > other.attempt || timeOf(one) > timeOf(other)",
        "one.attempt > other.attempt",
      ),
    ],
  },
  {
    name: "S9: a requeue counts as a failure",
    found: /ends where it has to/,
    traits: ["checkpoint"],
    edits: [edit("src/ledger/counts.js", 'if (end.outcome.kind === "requeued")', "if (false)")],
  },
  {
    name: "S6: the checkpoint of a job that succeeded stays",
    found: /left a checkpoint/,
    traits: ["checkpoint"],
    isHard: true,
    edits: [edit("src/worker/publish.js", 'if (ended.outcome.kind === "succeeded" &&', "if (false &&")],
  },
  {
    name: "a job does not wait for a running job",
    found: /begun too early/,
    traits: ["after"],
    edits: [
      edit(
        "src/dispatcher/standing.js",
        'if (standing === "open" || standing === "unknown")',
        'if (standing === "unknown")',
      ),
    ],
  },
  {
    name: "S11: job files are made beside their part, and not in it",
    found: /twice: number/,
    traits: ["array"],
    edits: [
      edit(
        "src/spool/array-elements.js",
        "const prepared = (...names) => layout.inArray(name, part.entry, pieces, ...names);",
        "const prepared = (...names) => layout.inArray(name, outEntry(head, id), pieces, ...names);\n" +
          "    await store.mkdir(layout.inArray(name, outEntry(head, id)));",
      ),
      edit(
        "src/spool/array-elements.js",
        "if (!(await moved(store, layout.inArray(name, part.entry), layout.inArray(name, out))))",
        "if (!(await removeEmpty(store, layout.inArray(name, part.entry))))",
      ),
    ],
  },
  {
    name: "S11: held numbers become jobs",
    found: /do not wait become jobs/,
    traits: ["array", "operator"],
    isHard: true,
    edits: [
      edit(
        "src/dispatcher/arrays.js",
        'if (part.kind !== "waiting")\n                continue;',
        'if (part.kind === "cancelled")\n                continue;',
      ),
    ],
  },
  {
    name: "S1: every file in the queue counts as complete",
    found: /torn/,
    traits: ["dropped"],
    edits: [edit("src/spool/settling.js", "if (facts.ctimeMs - facts.mtimeMs > FINISHED)", "if (true)")],
  },
  {
    name: "S2: two jobs with the same name are handed out at once",
    found: /overlap|lost|twice/,
    traits: ["namesakes"],
    edits: [
      edit(
        "src/dispatcher/hand-out.js",
        "if (desks.holds(job.file) || retries.holds(job.file))",
        "if (false)",
      ),
    ],
  },
  {
    name: "S9: a job is put back although another job with the same name waits",
    found: /lost/,
    traits: ["namesakes"],
    isHard: true,
    edits: [
      edit(
        "src/spool/finish.js",
        "const taken = await store.has(layout.queued(file));",
        "const taken = false;",
      ),
    ],
  },
  {
    name: "S9: a third job with the same name overwrites the second one",
    found: /lost/,
    traits: ["namesakes"],
    isHard: true,
    edits: [
      edit(
        "src/spool/finish.js",
        "return source !== place && (await store.has(place)) && (await store.has(source));",
        "return false;",
      ),
    ],
  },
  {
    name: "S5: a job that was skipped keeps its lock",
    found: /no progress/,
    traits: ["swift"],
    edits: [edit("src/worker/attempt.js", "await this.#claim?.lock.release();", "")],
  },
  {
    name: "S8: a live worker is declared dead",
    found: /lost too early/,
    traits: ["one-host"],
    edits: [edit("src/spool/identity.js", '? "alive" : "dead";', '? "dead" : "alive";')],
  },
  {
    name: "a worker that gets events does not look at its desk",
    found: /no progress/,
    traits: ["bells"],
    edits: [
      edit(
        "src/worker/job-loop.js",
        "await this.#alarm.wait(lookEvery(store, settings.poll));",
        "await this.#alarm.wait(1e6);",
      ),
    ],
  },
];
