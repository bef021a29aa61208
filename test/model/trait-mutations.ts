import { edit, type Mutation } from "./mutations.js";

/** Rules that matter only where there is more than jobs, workers and dispatchers: each left out in turn. */
export const TRAIT_MUTATIONS: readonly Mutation[] = [
  {
    name: "S4: who cancels or holds takes it from the desk himself",
    found: /told to be done|held while it runs|begun, and not|published twice|overlap/,
    traits: ["operator"],
    edits: [edit("src/compose/withdraw.js", "if (worker !== undefined) {", "if (false) {")],
  },
  {
    name: "S4: a job that runs is held as if it lay there",
    found: /held while it runs|told to be done/,
    traits: ["operator"],
    isHard: true,
    edits: [
      edit("src/worker/worker.js", "if (ask.file === this.#attempt?.file) {", "if (false) {"),
      edit("src/worker/worker.js", "if (lock === undefined)\n            return false;", ""),
      edit(
        "src/worker/worker.js",
        "finally {\n            await lock.release();",
        "finally {\n            await lock?.release();",
      ),
    ],
  },
  {
    name: "S6: who was fired has cancelled his job",
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
    name: "S4: who leaves does not look for what has arrived meanwhile",
    found: /told to be gone|no progress|lost too early/,
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
    name: "S9: a requeue is a failure",
    found: /ends where it has to/,
    traits: ["checkpoint"],
    edits: [edit("src/spool/history.js", 'if (line.outcome.kind === "requeued")', "if (false)")],
  },
  {
    name: "S6: the checkpoint of who succeeded stays",
    found: /left a checkpoint/,
    traits: ["checkpoint"],
    isHard: true,
    edits: [edit("src/worker/publish.js", 'if (ended.outcome.kind === "succeeded" &&', "if (false &&")],
  },
  {
    name: "what runs is not waited for",
    found: /begun too early/,
    traits: ["after"],
    edits: [
      edit(
        "src/dispatcher/dependencies.js",
        'if (progress === "open" || progress === "unknown")',
        'if (progress === "unknown")',
      ),
    ],
  },
  {
    name: "S11: jobs are made beside their part, not in it",
    found: /twice: number/,
    traits: ["array"],
    edits: [
      edit(
        "src/spool/arrays.js",
        "const prepared = (...names) => layout.inArray(name, part.entry, pieces, ...names);",
        "const prepared = (...names) => layout.inArray(name, outEntry(head, id), pieces, ...names);\n" +
          "    await store.mkdir(layout.inArray(name, outEntry(head, id)));",
      ),
      edit(
        "src/spool/arrays.js",
        "if (!(await moved(store, layout.inArray(name, part.entry), layout.inArray(name, out))))",
        "if (!(await removeEmpty(store, layout.inArray(name, part.entry))))",
      ),
    ],
  },
  {
    name: "S11: numbers that are held become jobs",
    found: /do not wait become jobs/,
    traits: ["array", "operator"],
    isHard: true,
    edits: [
      edit(
        "src/dispatcher/arrays.js",
        'if (part.kind !== "waiting")\n                    continue;',
        'if (part.kind === "cancelled")\n                    continue;',
      ),
    ],
  },
  {
    name: "S1: whatever lies in the queue is whole",
    found: /torn/,
    traits: ["dropped"],
    edits: [edit("src/spool/settling.js", "if (facts.ctimeMs - facts.mtimeMs > FINISHED)", "if (true)")],
  },
  {
    name: "S2: two of a name at once",
    found: /overlap|lost|twice/,
    traits: ["namesakes"],
    edits: [
      edit(
        "src/dispatcher/dispatcher.js",
        "if (this.#desks.holds(job.file) || this.#retries.holds(job.file))",
        "if (false)",
      ),
    ],
  },
  {
    name: "S9: put back where another of the name waits",
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
    name: "S9: a third of the name goes where the second lies",
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
    name: "S8: who is alive is taken for dead",
    found: /lost too early/,
    traits: ["one-host"],
    edits: [edit("src/spool/identity.js", '? "alive" : "dead";', '? "dead" : "alive";')],
  },
  {
    name: "a worker that listens does not look",
    found: /no progress/,
    traits: ["bells"],
    edits: [
      edit(
        "src/worker/worker.js",
        "if (this.#idleLooks++ > 0)\n            await this.#pause(lookEvery(this.store, this.settings.poll));",
        "if (this.#idleLooks++ > 0)\n            await this.#pause(1e6);",
      ),
    ],
  },
];
