import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { CHECKS, check, type Known } from "./checker.js";

/** A project made by hand that breaks no rule: two jobs have ended, and the worker has left. */
class Fabricated {
  readonly base = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-checker-"));
  readonly root = path.join(this.base, "project");
  readonly witness = path.join(this.base, "witness");
  known: Known = {
    accepted: [
      { job: "a", ends: "jobdone" },
      { job: "b", ends: "jobfailed", retries: 1 },
    ],
    witness: this.witness,
    over: true,
  };

  constructor() {
    for (const dir of [
      "jobqueue",
      "workerqueue",
      "jobpod/retry",
      "jobdone",
      "jobfailed",
      "jobcancelled",
      "ledger",
    ])
      fs.mkdirSync(path.join(this.root, dir), { recursive: true });
    this.put("jobdone/a.ini");
    this.put("jobfailed/b.ini");
    this.tell("w1", { event: "hired", worker: "w1" });
    this.run("a", 1, 1, 2);
    this.end("a", 1, "succeeded", "jobdone");
    this.run("b", 1, 3, 4);
    this.end("b", 1, "failed", "retry");
    this.tell("d1", { event: "retry", job: "b", attempt: 1, to: "jobqueue" });
    this.run("b", 2, 5, undefined);
    this.end("b", 2, "failed", "retry");
    this.tell("d1", { event: "retry", job: "b", attempt: 2, to: "jobfailed" });
  }

  put(file: string, text = ""): void {
    fs.mkdirSync(path.join(this.root, path.dirname(file)), { recursive: true });
    fs.writeFileSync(path.join(this.root, file), text);
  }

  accept(job: string): void {
    this.known = { ...this.known, accepted: [...this.known.accepted, { job }] };
  }

  take(file: string): void {
    fs.rmSync(path.join(this.root, file));
  }

  tell(actor: string, event: object): void {
    this.append(actor, `${JSON.stringify({ v: 1, t: "2026-01-01T00:00:00.000Z", ...event })}\n`);
  }

  append(actor: string, text: string): void {
    fs.appendFileSync(path.join(this.root, "ledger", `${actor}.jsonl`), text);
  }

  /** Records a run in the ledger and in the witness file. */
  run(job: string, attempt: number, from: number, to: number | undefined): void {
    this.tell("w1", { event: "started", job, attempt, worker: "w1" });
    this.see(job, attempt, from, to);
  }

  see(job: string, attempt: number, from: number, to: number | undefined): void {
    const run = `${job} ${attempt} 77`;
    fs.appendFileSync(this.witness, `start ${run} ${from}\n${to === undefined ? "" : `end ${run} ${to}\n`}`);
  }

  end(job: string, attempt: number, kind: string, to: string): void {
    this.tell("w1", { event: "ended", job, attempt, worker: "w1", outcome: { kind }, to });
  }
}

/** Planted violations, and the checks that have to find each. */
const PLANTED: Record<string, { plant: (p: Fabricated) => void; found: (keyof typeof CHECKS)[] }> = {
  "a job that is nowhere": {
    plant: (p) => p.take("jobdone/a.ini"),
    found: ["every accepted job is in exactly one place", "every job ends where it has to"],
  },
  "a job in two places": {
    plant: (p) => p.put("jobqueue/a.ini"),
    found: ["every accepted job is in exactly one place", "in the end no job waits or lies on a desk"],
  },
  "a job on a dead worker's desk": {
    plant: (p) => {
      p.take("jobdone/a.ini");
      p.put("jobpod/w9/a.ini");
    },
    found: [
      "in the end no job waits or lies on a desk",
      "every job ends where it has to",
      "in the end nothing is left behind",
    ],
  },
  "a number of an array that waits": {
    plant: (p) => {
      p.accept("A_7");
      p.put("jobarrays/A/3-7:4/.pieces.x/3-7");
    },
    found: ["no job that nobody submitted", "in the end no job waits or lies on a desk"],
  },
  "numbers of an array in two places": {
    plant: (p) => {
      for (const n of [1, 2, 3]) p.accept(`A_${n}`);
      p.put("jobarrays/A/cancelled.1-3/x");
      p.put("jobarrays/A/.a.split/.pieces.a/cancelled.1/x");
      p.put("jobarrays/A/2-3.b.out/.pieces.b/A_3.ini");
      p.put("jobarrays/A/2-3.b.out/.pieces.c/A_2.ini");
    },
    found: [
      "every accepted job is in exactly one place",
      "in the end no job waits or lies on a desk",
      "in the end nothing is left behind",
    ],
  },
  "an array that has not begun": {
    plant: (p) => {
      for (const n of [1, 2, 3, 4]) p.accept(`A_${n}`);
      p.put("jobqueue/A.ini", "[control]\n[array]\nrange: 1-2\n");
      p.put("jobarrays/.A.x.new/array.ini", "[control]\n[array]\nrange: 3-4\n");
    },
    found: ["in the end no job waits or lies on a desk", "in the end nothing is left behind"],
  },
  "a checkpoint of a job that succeeded": {
    plant: (p) => p.put("jobcheckpoints/a/state"),
    found: ["no job that succeeded has left a checkpoint"],
  },
  "a job from nowhere": {
    plant: (p) => {
      p.put("jobdone/x.ini");
      p.run("x", 1, 1, 2);
      p.end("x", 1, "succeeded", "jobdone");
    },
    found: ["no job that nobody submitted", "at most one final outcome for each submission"],
  },
  "an outcome published twice": {
    // The line differs from the first one. If a writer repeats a line after an error, the line is the same.
    plant: (p) =>
      p.tell("w1", {
        event: "ended",
        job: "a",
        attempt: 1,
        worker: "w1",
        seconds: 9,
        outcome: { kind: "succeeded" },
        to: "jobdone",
      }),
    found: [
      "at most one outcome is published for an attempt",
      "at most one final outcome for each submission",
    ],
  },
  "a zombie's outcome beside the right one": {
    plant: (p) => {
      p.run("a", 2, 3, 4);
      p.end("a", 2, "succeeded", "jobdone");
    },
    found: ["at most one final outcome for each submission"],
  },
  "a directory that contradicts the ledger": {
    plant: (p) => {
      p.take("jobdone/a.ini");
      p.put("jobfailed/a.ini");
    },
    found: ["every job ends where it has to", "every ended job's room is what its last outcome says"],
  },
  "an outcome that was discarded and yet counted": {
    plant: (p) => p.tell("w1", { event: "discarded", job: "a", attempt: 1, worker: "w1" }),
    found: ["every ended job's room is what its last outcome says"],
  },
  "an attempt that was started twice": {
    plant: (p) => p.tell("w2", { event: "started", job: "a", attempt: 1, worker: "w2" }),
    found: ["an attempt is started once"],
  },
  "an identity of a run that was used again": {
    plant: (p) => {
      for (const job of ["c", "d"]) {
        p.accept(job);
        p.put(`jobdone/${job}.ini`);
        p.tell("w1", { event: "started", job, attempt: 1, run: "w1.7", worker: "w1" });
        p.see(job, 1, 6, 7);
        const outcome = { kind: "succeeded" };
        p.tell("w1", { event: "ended", job, attempt: 1, run: "w1.7", worker: "w1", outcome, to: "jobdone" });
      }
    },
    found: ["an identity of a run is given once"],
  },
  "a job that was given up because of the failures of another job with the same name": {
    plant: (p) => {
      p.known = { ...p.known, accepted: [...p.known.accepted, { job: "b", retries: 1 }] };
      p.tell("w1", { event: "started", job: "b", attempt: 3, run: "w1.3", worker: "w1" });
      p.see("b", 3, 8, 9);
      const end = { event: "ended", attempt: 3, run: "w1.3", outcome: { kind: "failed" }, to: "retry" };
      p.tell("w1", { ...end, job: "b", worker: "w1", stamp: "5:100:300" });
      const reason = "all 2 attempts failed (retries: 1)";
      p.tell("d1", { event: "retry", job: "b", attempt: 3, to: "jobfailed", reason, stamp: "5:100:400" });
    },
    found: ["a job is given up for failures of its own file"],
  },
  "a worker's id that was used again": {
    plant: (p) => p.tell("w1", { event: "hired", worker: "w1" }),
    found: ["a worker's id is given once"],
  },
  "an attempt that nobody accounts for, after the end": {
    plant: (p) => p.run("a", 2, 3, undefined),
    found: ["in the end every attempt that was started has an end", "no attempt follows the final outcome"],
  },
  "more failures than the retries allow": {
    plant: (p) => {
      p.run("b", 3, 7, 8);
      p.end("b", 3, "failed", "retry");
    },
    found: ["a job fails no oftener than its retries allow", "no attempt follows the final outcome"],
  },
  "a success that the job knows nothing of": {
    plant: (p) => fs.writeFileSync(p.witness, fs.readFileSync(p.witness, "utf8").replace(/^end a .*\n/m, "")),
    found: [
      "a succeeded attempt has come to its end by its own witness",
      "every job in jobdone has run to its end",
    ],
  },
  "a run that stands in no ledger": {
    plant: (p) => p.see("a", 4, 10, 11),
    found: ["every run stands in the ledger, and ran once"],
  },
  "two runs at the same time": {
    plant: (p) => {
      fs.writeFileSync(p.witness, "");
      p.see("a", 1, 1, 2);
      p.see("b", 1, 3, 5);
      p.see("b", 2, 4, 6);
    },
    found: ["runs of a job overlap only where the first was lost"],
  },
  "a temporary file": {
    plant: (p) => p.put("workerqueue/.w1.tmp"),
    found: ["in the end nothing is left behind"],
  },
  "a second name of an announcement": {
    plant: (p) => p.put("jobpod/.w1.pulse"),
    found: ["in the end nothing is left behind"],
  },
  "a lock and a fenced desk": {
    plant: (p) => fs.mkdirSync(path.join(p.root, "jobpod/w1.lost/a.ini.lock"), { recursive: true }),
    found: ["in the end nothing is left behind"],
  },
  "a dead worker's announcement": {
    plant: (p) => p.put("workerqueue/w1.ini"),
    found: ["in the end nothing is left behind"],
  },
  "a line torn in the middle of a ledger": {
    plant: (p) => p.append("w1", '{"v":1,"ev\n{"v":1,"event":"left","worker":"w1"}\n'),
    found: ["a ledger's line is torn only where its writer died"],
  },
};

describe("the checker", () => {
  let project: Fabricated;
  beforeEach(() => {
    project = new Fabricated();
  });
  afterEach(() => fs.rmSync(project.base, { recursive: true }));

  const found = () => [...new Set(check(project.root, project.known).map((violation) => violation.check))];

  it("finds nothing in a correct project", () => {
    expect(check(project.root, project.known)).to.deep.equal([]);
  });

  it("allows a torn last line, an overlap with a lost run, and an outcome that its worker discarded", () => {
    project.append("w1", '{"v":1,"event":"sta');
    project.known = { ...project.known, accepted: [{ job: "a" }, { job: "b", retries: 1 }, { job: "c" }] };
    project.put("jobdone/c.ini");
    project.append("w2", "");
    for (const actor of ["w2", "w3"]) {
      const attempt = actor === "w2" ? 1 : 2;
      project.tell(actor, { event: "started", job: "c", attempt, worker: actor });
      project.see("c", attempt, attempt, 4);
      const outcome = { kind: "succeeded" };
      project.tell(actor, { event: "ended", job: "c", attempt, worker: actor, outcome, to: "jobdone" });
    }
    project.tell("w2", { event: "discarded", job: "c", attempt: 1, worker: "w2" });
    project.tell("d1", { event: "lost", job: "c", attempt: 1, worker: "w2", to: "jobqueue" });
    expect(check(project.root, project.known)).to.deep.equal([]);
    project.known = { ...project.known, oneHost: true };
    expect(found()).to.deep.equal(["runs of a job overlap only where the first was lost"]);
  });

  it("allows any number of attempts that asked for another run, and the checkpoint of a job that failed", () => {
    project.known = {
      ...project.known,
      accepted: [...project.known.accepted, { job: "c", ends: "jobdone" }],
    };
    for (const attempt of [1, 2]) {
      project.run("c", attempt, attempt, attempt + 0.5);
      project.end("c", attempt, "requeued", "retry");
    }
    project.run("c", 3, 3, 4);
    project.end("c", 3, "succeeded", "jobdone");
    project.put("jobdone/c.ini");
    project.put("jobcheckpoints/b/state");
    expect(check(project.root, project.known)).to.deep.equal([]);
  });

  it("allows a temporary file that a killed process left in the queue, and no other file there", () => {
    project.put("jobqueue/.0b5aa4c4-7ad5-4e2a-9d0e-3c3f0f3f4a11.tmp");
    expect(found()).to.deep.equal(["in the end nothing is left behind"]);
    project.known = { ...project.known, hasKilled: true };
    expect(found()).to.deep.equal([]);
    project.put("jobqueue/.fuse_hidden01");
    project.known = { ...project.known, hasFuse: true };
    expect(found()).to.deep.equal([]);
    project.put("jobqueue/.4711-81.tmp");
    expect(found()).to.deep.equal(["in the end nothing is left behind"]);
  });

  for (const [what, { plant, found: expected }] of Object.entries(PLANTED)) {
    it(`finds ${what}`, () => {
      plant(project);
      expect(found()).to.have.members(expected as string[]);
    });
  }

  it("finds a process that is left behind", async () => {
    const left = execa("sleep", ["60"], { env: { FJORD_PROJECT: project.root }, reject: false });
    try {
      expect(found()).to.deep.equal(["in the end no process is left"]);
    } finally {
      left.kill("SIGKILL");
      await left;
    }
  });

  it("has for each check a planted violation that the check finds", () => {
    const planted = new Set(Object.values(PLANTED).flatMap((one) => one.found as string[]));
    planted.add("in the end no process is left");
    expect([...planted]).to.have.members(Object.keys(CHECKS));
  });
});
