import { expect } from "chai";
import { judge } from "../../src/dispatcher/standing.js";
import { formatAfter, parseAfter } from "../../src/job/after.js";
import { projectPerTest } from "../rig/with-project.js";

describe("the jobs that a job waits for", () => {
  it("are read as they are written", () => {
    const after = parseAfter(" prepare , load.ini:any,x:ok, a:b ");
    expect(after).to.deep.equal([
      { job: "prepare", on: "ok" },
      { job: "load", on: "any" },
      { job: "x", on: "ok" },
      { job: "a:b", on: "ok" },
    ]);
    expect(formatAfter(after ?? [])).to.equal("prepare, load:any, x, a:b");
    const wide = `a${" ".repeat(1_000_000)}b`; // A regular expression that backtracks would take hours here.
    expect(parseAfter(wide)).to.deep.equal([{ job: wide, on: "ok" }]);
    for (const text of ["", "a,,b", ":ok", ",a"]) expect(parseAfter(text), text).to.equal(undefined);
  });

  for (const [what, after, progress, verdict] of [
    ["all have succeeded", "a, b", { a: "succeeded", b: "succeeded" }, { kind: "free" }],
    ["one is still open", "a, b", { a: "succeeded", b: "open" }, { kind: "waits" }],
    ["one does not exist", "a", {}, { kind: "waits" }],
    ["one has failed", "a, b", { a: "open", b: "failed" }, { kind: "never", because: "b" }],
    ["one has failed, which is allowed", "a:any", { a: "failed" }, { kind: "free" }],
    [
      "one has failed, which is allowed, and another is open",
      "a:any, b",
      { a: "failed", b: "open" },
      { kind: "waits" },
    ],
  ] as [string, string, Record<string, "open" | "succeeded" | "failed">, object][]) {
    it(`decide whether the job may run: ${what}`, () => {
      expect(judge(parseAfter(after) ?? [], (job) => progress[job] ?? "unknown")).to.deep.equal(verdict);
    });
  }
});

describe("a job that waits for others", () => {
  const project = projectPerTest();

  it("runs when they have succeeded, and not before", async () => {
    await project().hire(2);
    const dispatcher = project().start("dispatcher");
    const first = await project().remoteJob("first");
    await first.started();
    project().job("second", "true", { after: "first" });
    project().job("third", "true", { after: "second, first" });
    project().job("free", "true");
    await project().ended("free"); // This job came last, so the dispatcher has seen the others.
    expect(project().events("started", "second")).to.deep.equal([]);
    first.exit(0);
    expect((await dispatcher.end).exitCode).to.equal(0);
    const starts = ["first", "second", "third"].map((job) => project().events("started", job)[0]?.t ?? "");
    expect(starts).to.deep.equal([...starts].sort());
    expect(project().ends.done).to.deep.equal(["first", "free", "second", "third"]);
  });

  it("is cancelled with all jobs that wait for it when one of them fails, and is revived with the failed one", async () => {
    await project().hire(2);
    for (const [name, after] of [
      ["b", "a"],
      ["c", "b"],
      ["any", "a:any"],
    ] as const) {
      project().job(name, "true", { after });
    }
    project().job("a", "test -e mended #");
    const failed = await project().run("dispatcher");
    expect(failed.exitCode).to.equal(1);
    expect(failed.stdout).to.contain("[dispatcher] b cancelled: it waited for a, which did not succeed.");
    expect(failed.stdout).to.contain("[dispatcher] c cancelled: it waited for b, which did not succeed.");
    expect(failed.stdout).to.contain("No more jobs: 1 succeeded, 1 failed, 2 cancelled, in");
    expect(project().files.cancelled).to.deep.equal(["b.ini", "c.ini"]);
    await project().startProgram("touch", ["mended"]).end;
    const retried = await project().run("fjord", ["retry", "a"]);
    expect(retried.stdout).to.equal("[fjord] Back into the queue: 3 jobs: a, b, c.\n");
    expect((await project().run("dispatcher")).exitCode).to.equal(0);
    expect(project().ends).to.deep.equal({ done: ["a", "any", "b", "c"], failed: [] });
  });

  it("uses the last end of a name that was used again", async () => {
    await project().hire(1);
    for (const [first, second, end] of [
      ["false", "true", "done"],
      ["true", "false", "cancelled"],
    ] as const) {
      project().job(`prep-${end}`, first);
      await project().run("dispatcher");
      project().job(`prep-${end}`, second);
      await project().run("dispatcher");
      project().job(`train-${end}`, "true", { after: `prep-${end}` });
      await project().run("dispatcher");
      const { stdout } = await project().run("fjord", ["list", `train-${end}`, "--json"]);
      expect(JSON.parse(stdout)[0]).to.include({ state: end });
    }
  });

  it("stays in the queue and is named when its dependency does not exist, or when jobs wait for each other in a circle", async () => {
    await project().hire(1);
    project().job("lonely", "true", { after: "nobody" });
    project().job("x", "true", { after: "y" });
    project().job("y", "true", { after: "x" });
    project().job("free", "true");
    const { exitCode, stdout } = await project().run("dispatcher");
    expect(exitCode).to.equal(1);
    expect(stdout).to.contain(
      "Not run: lonely, x, y. They wait for jobs that are missing or held, or for each other.",
    );
    expect(stdout).to.contain(`fjord explain lonely --project ${project().directory} shows the reasons.`);
    expect(project().files.queued).to.deep.equal(["lonely.ini", "x.ini", "y.ini"]);
    expect(project().ends.done).to.deep.equal(["free"]);
  });

  it("goes on waiting when the dispatcher dies", async () => {
    await project().hire(1);
    const dispatcher = project().start("dispatcher");
    const first = await project().remoteJob("first");
    project().job("second", "true", { after: "first" });
    await first.started();
    dispatcher.kill("SIGKILL");
    await dispatcher.end;
    first.exit(0);
    await project().ended("first");
    expect((await project().run("dispatcher")).exitCode).to.equal(0);
    expect(project().ends.done).to.deep.equal(["first", "second"]);
  });
});
