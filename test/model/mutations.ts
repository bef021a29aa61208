import type { Trait } from "./scene.js";
import type { Deviation } from "./script.js";

/** A way to break the protocol: edits of the compiled code. Each text to replace occurs exactly once. */
export interface Mutation {
  readonly name: string;
  /** Matches the error that the mutation causes. */
  readonly found: RegExp;
  /** The file system and deviation of the scripts that find the error, if walks take longer. */
  readonly by?: readonly ["local" | "network", Deviation];
  /** Traits of the walks that find the error. */
  readonly traits?: readonly Trait[];
  /** Whether finding the error takes long. Such mutations run on demand only. */
  readonly isHard?: boolean;
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

export const edit = (file: string, from: string, to: string) => ({ file, from, to });

/** Mutations that break the rules of docs/protocol.md, one rule each. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: "S1 without the temporary name",
    found: /torn|nobody submitted|no progress|refused/,
    edits: [
      edit("src/spool/submit.js", "await store.create(temporary,", "await store.create(layout.queued(file),"),
      edit("src/spool/submit.js", "await store.touch(temporary, store.clock.wall() - RENAMED_IN);", ""),
      edit("src/spool/submit.js", "await store.rename(temporary, layout.queued(file));", ""),
    ],
  },
  {
    name: "S3 without the lock",
    found: /at most one final outcome|every attempt that was started|overlap/,
    by: ["local", "stop"],
    edits: [
      edit(
        "src/worker/attempt.js",
        'lock = await ifThere(locksmith.lock(this.#path, () => this.#lockLost()), "not-there");',
        "lock = { release: async () => undefined };",
      ),
    ],
  },
  {
    name: "S3: a process takes its own lock for that of another process after a lost reply",
    found: /no progress/,
    by: ["network", "again"],
    isHard: true,
    edits: [edit("src/spool/locksmith.js", '"EEXIST") && (await this.#isMine(path))', '"EEXIST") && false')],
  },
  {
    name: "S4 without the lock",
    found: /overlap|begun/,
    by: ["network", "again"],
    isHard: true,
    edits: [
      edit(
        "src/spool/assign.js",
        "lock = await ifThere(locksmith.lock(source, () => undefined));",
        "lock = { release: async () => undefined };",
      ),
    ],
  },
  {
    name: "S5: a worker numbers attempts without checking the logs",
    found: /no progress|started once|ran once|overlap|follows the final outcome/,
    isHard: true,
    edits: [
      edit(
        "src/worker/attempt-log.js",
        'if (!isErrno(error, "EEXIST"))',
        "return new AttemptLog(site, path, number);\n if (true)",
      ),
    ],
  },
  {
    name: "S6: the rename comes before the line in the ledger",
    found: /published before the ledger tells/,
    edits: [
      edit(
        "src/worker/publish.js",
        "await untilTaken(duty, () => ledger.append(endedEvent(",
        "const tell = () => untilTaken(duty, () => ledger.append(endedEvent(",
      ),
      edit("src/worker/publish.js", "switch (end) {", "await tell();\n    switch (end) {"),
    ],
  },
  {
    name: "S7: the counter does not grow",
    found: /ends where it has to|overlap|no progress/,
    edits: [
      edit(
        "src/worker/heartbeat.js",
        "beat: this.#announcement.beat + 1",
        "beat: Math.min(2, this.#announcement.beat + 1)",
      ),
    ],
  },
  {
    name: "S8 without the rename of the desk",
    found: /what its last outcome says/,
    by: ["local", "later"],
    edits: [
      edit("src/spool/reclaim.js", "await fenceDesk(r, worker);", ""),
      edit(
        "src/spool/reclaim.js",
        "const desk = r.layout.fencedDesk(worker);",
        "const desk = r.layout.desk(worker);",
      ),
    ],
  },
  {
    name: "S8: a worker is lost after one look with the same counter",
    found: /lost too early/,
    edits: [edit("src/dispatcher/roll-call.js", "unmoved >= this.#looks)", "unmoved >= 1)")],
  },
  {
    name: "S8: the job that ran goes back without a line in the ledger",
    found: /at most one final outcome|every attempt that was started/,
    by: ["local", "stop"],
    edits: [edit("src/spool/reclaim.js", 'await r.ledger.append({ ...gone, to: "jobqueue" });', "")],
  },
  {
    name: "S8: a worker's id is used again",
    found: /id is given once/,
    by: ["local", "stop"],
    edits: [edit("test/model/stage.js", '[name, n].join("-")', '[name, 1].join("-")')],
  },
  {
    name: "S9: a job is given up before the ledger shows all attempts",
    found: /published before the ledger tells/,
    edits: [
      edit(
        "src/dispatcher/retries.js",
        'await this.#record(job, latest, "jobfailed", verdict.reason, stamp);',
        "",
      ),
    ],
  },
  {
    name: "S9: a job gets one attempt too many",
    found: /no oftener than its retries allow/,
    edits: [edit("src/dispatcher/retry-judgement.js", "if (failed > retries)", "if (failed > retries + 1)")],
  },
  {
    name: "S10 without the guardian's deadline",
    found: /overlap|begun/,
    by: ["local", "stop"],
    edits: [
      edit("src/worker/lane.js", "current.watch(heartbeat.timeLeft);", "void 0;"),
      edit("src/worker/beats.js", "runner.current().renew(heartbeat.deadline);", "void 0;"),
    ],
  },
  {
    name: "S10: the deadline is as long as the lease",
    found: /overlap|begun/,
    by: ["local", "stop"],
    edits: [edit("src/worker/heartbeat.js", "return beat * Math.max(", "return 4 * beat * Math.max(")],
  },
  {
    name: "S10: a worker begins a job although its heartbeat is too old",
    found: /overlap|begun|follows the final outcome/,
    by: ["local", "stop"],
    isHard: true,
    edits: [edit("src/worker/job-loop.js", "!part.some(({ isLate }) => isLate)", "true")],
  },
  {
    name: "the dispatcher says that all jobs have ended after one look",
    found: /all-done too early/,
    isHard: true,
    edits: [
      edit(
        "src/dispatcher/dispatcher.js",
        "if (untilProof(this.#end, now, this.#settle) > 0)\n            return false;",
        'if (this.#end.kind !== "perhaps")\n            return false;\n        return true;',
      ),
    ],
  },
  {
    name: "a dispatcher that could not begin keeps the dispatcher lock",
    found: /no progress/,
    by: ["local", "EIO"],
    isHard: true,
    edits: [edit("src/dispatcher/dispatch.js", "await stoodBy.lock.leave(); // otherwise", "// otherwise")],
  },
];
