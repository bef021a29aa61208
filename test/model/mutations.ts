import type { Trait } from "./scene.js";
import type { Deviation } from "./script.js";

/** A way to break the protocol: what is replaced in the compiled code, each text being there once. */
export interface Mutation {
  readonly name: string;
  /** What it breaks. */
  readonly found: RegExp;
  /** The scripts that find it, where walks take longer. */
  readonly by?: readonly ["local" | "network", Deviation];
  /** What the walks have that find it. */
  readonly traits?: readonly Trait[];
  /** It takes long to find: looked for on demand alone. */
  readonly isHard?: boolean;
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

export const edit = (file: string, from: string, to: string) => ({ file, from, to });

/** The rules of docs/protocol.md, each left out in turn. */
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
        "lock = await this.#bench.locksmith.lock(this.#path, () => this.#lockLost());",
        "lock = { release: async () => undefined };",
      ),
    ],
  },
  {
    name: "S3: one's own lock after a lost reply is another's",
    found: /no progress/,
    by: ["network", "again"],
    isHard: true,
    edits: [edit("src/spool/lock.js", '"EEXIST") && (await this.#isMine(path))', '"EEXIST") && false')],
  },
  {
    name: "S4 without the lock",
    found: /overlap|begun/,
    by: ["network", "again"],
    isHard: true,
    edits: [
      edit(
        "src/spool/assign.js",
        "lock = await locksmith.lock(source, () => undefined);",
        "lock = { release: async () => undefined };",
      ),
    ],
  },
  {
    name: "S5: attempts are numbered without asking",
    found: /no progress|started once|ran once|overlap/,
    isHard: true,
    edits: [edit("src/worker/attempt.js", 'if (!isErrno(error, "EEXIST"))', "return path;\n if (true)")],
  },
  {
    name: "S6: the rename before the ledger",
    found: /published before the ledger tells/,
    edits: [
      edit(
        "src/worker/publish.js",
        'await untilTaken(by, () => ledger.append({\n        event: "ended"',
        'const tell = () => untilTaken(by, () => ledger.append({\n        event: "ended"',
      ),
      edit("src/worker/publish.js", 'if (end === "taken")', 'await tell();\n    if (end === "taken")'),
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
      edit("src/spool/reclaim.js", "await fenceDesk(r.store, r.layout, worker);", ""),
      edit(
        "src/spool/reclaim.js",
        "const desk = r.layout.fencedDesk(worker);",
        "const desk = r.layout.desk(worker);",
      ),
    ],
  },
  {
    name: "S8: lost at the first look that finds nothing new",
    found: /lost too early/,
    edits: [edit("src/dispatcher/roll-call.js", "unmoved >= this.#looks)", "unmoved >= 1)")],
  },
  {
    name: "S8: what was running goes back untold",
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
    name: "S9: given up before the ledger tells",
    found: /published before the ledger tells/,
    edits: [
      edit(
        "src/dispatcher/retries.js",
        'await this.#ledger.append({ event: "retry", job, attempt: latest, to: "jobfailed", reason, stamp });',
        "",
      ),
    ],
  },
  {
    name: "S9: one attempt too many",
    found: /no oftener than its retries allow/,
    edits: [edit("src/dispatcher/retries.js", "if (failed > retries)", "if (failed > retries + 1)")],
  },
  {
    name: "S10 without the guardian's deadline",
    found: /overlap|begun/,
    by: ["local", "stop"],
    edits: [
      edit("src/worker/attempt.js", "launcher.watch(this.#bench.timeLeft);", ""),
      edit("src/worker/worker.js", "this.launcher().renew(this.deadline);", "void 0;"),
    ],
  },
  {
    name: "S10: the deadline is no shorter than the lease",
    found: /overlap|begun/,
    by: ["local", "stop"],
    edits: [edit("src/worker/worker.js", "return beat * Math.max(", "return 4 * beat * Math.max(")],
  },
  {
    name: "S10: begun however long it took to come there",
    found: /overlap|begun|follows the final outcome/,
    by: ["local", "stop"],
    isHard: true,
    edits: [
      edit(
        "src/worker/attempt.js",
        "if (this.#bench.mayBeFenced(this.#begun)) {\n            await store",
        "if (false) {\n            await store",
      ),
      edit(
        "src/worker/attempt.js",
        "if (this.#bench.mayBeFenced(this.#begun)) {\n            await discard",
        "if (false) {\n            await discard",
      ),
    ],
  },
  {
    name: "all-done after one look",
    found: /all-done too early/,
    isHard: true,
    edits: [
      edit(
        "src/dispatcher/dispatcher.js",
        "if (!this.#tally.hasBegun || !this.#isOver())\n            return false;",
        "if (!this.#tally.hasBegun || !this.#isOver())\n            return false;\n        return true;",
      ),
    ],
  },
  {
    name: "the seat is kept by who could not begin",
    found: /no progress/,
    by: ["local", "EIO"],
    isHard: true,
    edits: [edit("src/compose/dispatch.js", "await seat.leave(); // or nobody", "// or nobody")],
  },
];
