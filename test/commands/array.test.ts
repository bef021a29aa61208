import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { Project } from "../../src/library/project.js";
import { projectPerTest } from "../rig/with-project.js";

describe("job arrays", () => {
  const project = projectPerTest();
  const fjord = (...args: string[]) => project().run("fjord", args);
  const write = (file: string, text: string) => fs.writeFileSync(path.join(project().work, file), text);
  const parts = (array: string) => project().list(project().layout.array(array));

  async function told(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await fjord(...args);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
    return stdout;
  }

  async function refused(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await fjord(...args);
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
    return stderr;
  }

  /** Number of the array's jobs in each state. */
  async function states(array: string): Promise<Record<string, number>> {
    const [record] = JSON.parse(await told("show", array, "--json"));
    return record.states;
  }

  /** Submits an array whose jobs do nothing. */
  async function submitted(name: string, range: string, ...options: string[]): Promise<void> {
    await told("submit", "--array", range, "--name", name, ...options, "--", "true");
  }

  it("are one file of many jobs; each job has its own values in its command, logfile and [params]", async () => {
    write(
      "train.ini",
      [
        "[control]",
        "executable = echo lr={lr} seed={seed} '{x}' #",
        "logfile = out/{lr}-{seed}.txt",
        "# a remark",
        "[sweep]",
        "LR = 0.1, 0.01",
        "seed = 1..3",
        "[mine]",
        "key = {lr}",
        "",
      ].join("\n"),
    );
    expect(await told("submit", "train.ini")).to.equal(
      "[fjord] Submitted 6 jobs: train_[1-6].\n" +
        "[fjord] The first runs: echo lr=0.1 seed=1 '{x}'\n" +
        "[fjord] The last runs: echo lr=0.01 seed=3 '{x}'\n",
    );
    expect(parts("train")).to.deep.equal(["1-6", "array.ini"]);
    await project().hire(2);
    expect((await project().run("dispatcher")).exitCode).to.equal(0);
    expect(project().ends.done).to.deep.equal([1, 2, 3, 4, 5, 6].map((n) => `train_${n}`));
    expect((await told("history", "train", "--json")).trim().split("\n")).to.have.length(6);
    const out = path.join(project().work, "out");
    expect(project().list(out)).to.deep.equal(
      ["0.01-1", "0.01-2", "0.01-3", "0.1-1", "0.1-2", "0.1-3"].map((name) => `${name}.txt`),
    );
    expect(fs.readFileSync(path.join(out, "0.01-2.txt"), "utf8")).to.equal("lr=0.01 seed=2 {x}\n");
    const text = fs.readFileSync(project().layout.ended("jobdone", "train_5.ini"), "utf8");
    expect(text).to.include("# a remark\n[mine]\nkey = {lr}\n").and.to.not.include("[sweep]");
    const csv = await told("results", "train", "--csv");
    expect(csv.split("\r\n").slice(0, 3)).to.deep.equal([
      "job,state,index,lr,seed",
      "train_1,done,1,0.1,1",
      "train_2,done,2,0.1,2",
    ]);
    expect(await states("train")).to.deep.equal({ done: 6 });
  });

  it("can be put into the queue with cp, become jobs only when workers need them, and survive the death of any process", async () => {
    const witness = path.join(project().work, "witness");
    await project().copy(
      "big.ini",
      `[control]\nexecutable = echo {index} >> ${witness} #\n[array]\nrange = 1-10000\n`,
    );
    const idle = project().start("dispatcher");
    await project().until("the dispatcher has taken the array over", () => parts("big").includes("1-10000"));
    expect(project().files.queued).to.deep.equal([]); // No worker is on duty at this moment.
    idle.kill("SIGKILL");
    await project().hire(2);
    const killed = project().start("dispatcher");
    await project().until("the dispatcher hands out jobs", () => project().ends.done.length > 100);
    killed.kill("SIGKILL");
    await killed.exit;
    expect(project().files.queued).to.have.length.below(2000);
    const { stdout } = await fjord("cancel", "big_{5000..10000}");
    expect(stdout).to.equal("[fjord] Cancelled 5001 jobs: big_[5000-10000].\n");
    const status = JSON.parse(await told("status", "--json"));
    expect(status.waiting + status.running + status.done + status.cancelled).to.equal(10_000);
    await told("cancel", "big");
    const ran = project().ends.done.length;
    const lines = fs.readFileSync(witness, "utf8").trim().split("\n");
    expect(new Set(lines).size).to.equal(lines.length);
    expect(lines).to.have.length.of.at.least(ran);
    const after = await states("big");
    expect(after.done).to.equal(ran);
    expect((after.done ?? 0) + (after.cancelled ?? 0)).to.equal(10_000);
  });

  it("are cancelled, held, released and retried as single jobs or ranges, and each number stays one job", async () => {
    await submitted("a", "1-40");
    expect(await told("cancel", "a_7", "a_{10..12}")).to.equal("[fjord] Cancelled 4 jobs: a_[7,10-12].\n");
    expect(await told("hold", "a_2?", "--dry-run")).to.equal("[fjord] Would hold 10 jobs: a_[20-29].\n");
    expect(await told("hold", "a_2?")).to.equal("[fjord] Held 10 jobs: a_[20-29].\n");
    expect(await told("release", "a_{25..27}")).to.equal("[fjord] Released 3 jobs: a_[25-27].\n");
    expect(await told("retry", "a_11")).to.equal("[fjord] Back into the queue: 1 job: a_11.\n");
    expect(parts("a")).to.deep.equal([
      "1-6",
      "11",
      "13-19",
      "25-27",
      "30-40",
      "8-9",
      "array.ini",
      "cancelled.10",
      "cancelled.12",
      "cancelled.7",
      "held.20-24",
      "held.28-29",
    ]);
    expect(await told("list")).to.equal(
      [
        "JOB                           STATE      ATTEMPTS  OUTCOME  STARTED  TOOK  HOST",
        "a_[1-6,8-9,11,13-19,25-27,…]  waiting",
        "a_[7,10,12]                   cancelled",
        "a_[20-24,28-29]               held",
        "",
      ].join("\n"),
    );
    expect(await told("show", "a_7")).to.match(
      /^a_7: cancelled\nfile: .*array\.ini \(of its array.*\ncancelled: by /,
    );
    const explained = await told("explain", "a_9", "a_7", "a_21");
    expect(explained).to.match(/a_9: waiting\n {2}Elements of a become jobs as .*; 7 others come before\.\n/);
    expect(explained).to.match(/a_7: cancelled\n {2}It was cancelled: by \S+\. → fjord retry a_7\n/);
    expect(explained).to.include(
      "a_21: held\n  It is held until somebody releases it. → fjord release a_21\n",
    );
    await project().hire(2);
    await project().run("dispatcher");
    expect(await states("a")).to.deep.equal({ held: 7, done: 30, cancelled: 3 });
    await told("release", "a");
    expect(await told("retry", "a")).to.match(/^\[fjord\] Back into the queue: 3 jobs: a_\[7,10,12\]\.\n/);
    await project().run("dispatcher");
    expect(await states("a")).to.deep.equal({ done: 40 });
    const starts = project()
      .events("started")
      .map(({ job }) => job);
    expect([new Set(starts).size, starts.length]).to.deep.equal([40, 40]);
  });

  it("are waited for by fjord wait and by other jobs, and themselves wait for others", async () => {
    await submitted("first", "1-3");
    write("second.ini", "[control]\nexecutable = exit {code} #\nafter = first\n[sweep]\ncode = 0, 3, 0\n");
    await told("submit", "second.ini");
    await told("submit", "--name", "all", "--after", "second", "--", "true");
    await told("submit", "--name", "one", "--after", "second_1", "--after", "second_2:any", "--", "true");
    await project().hire(2);
    expect((await fjord("wait", "first", "--timeout", "0")).exitCode).to.equal(2);
    const waiting = fjord("wait", "second");
    expect((await project().run("dispatcher")).exitCode).to.equal(1);
    const { exitCode, stdout } = await waiting;
    expect(exitCode).to.equal(1);
    expect(stdout).to.include("3 jobs ended: 2 succeeded, 1 did not").and.to.include("second_2: exit code 3");
    expect(project().ends.done).to.deep.equal([
      "first_1",
      "first_2",
      "first_3",
      "one",
      "second_1",
      "second_3",
    ]);
    expect(project().ends.failed).to.deep.equal(["second_2"]);
    expect(project().files.cancelled).to.deep.equal(["all.ini"]);
    const order = project()
      .events("started")
      .map(({ job }) => job.slice(0, 5));
    expect(order.lastIndexOf("first")).to.be.below(order.indexOf("secon"));
    expect(await told("retry", "second_2")).to.include("2 jobs: second_2, all");
  });

  it("are cancelled as a whole when a job that they wait for fails, and revived with that job", async () => {
    await told("submit", "--name", "prepare", "--", "exit 1");
    await submitted("work", "1-5", "--after", "prepare");
    await project().hire(1);
    const { stdout } = await project().run("dispatcher");
    expect(stdout).to.include("work cancelled: it waited for prepare, which did not succeed");
    expect(parts("work")).to.deep.equal(["array.ini", "cancelled.1-5"]);
    expect(await told("explain", "work_3")).to.include("it waited for prepare");
    expect(await told("retry", "prepare")).to.include("6 jobs: work_[1-5], prepare");
    expect(parts("work")).to.deep.equal(["1-5", "array.ini"]);
  });

  it("cannot be submitted under the name of a job that waits, so that nothing is overwritten", async () => {
    await submitted("a", "1-5");
    await told("submit", "--name", "b_3", "--", "true");
    expect(await refused("submit", "--array", "1-2", "--name", "a", "--", "true")).to.include(
      'Elements of an array "a" wait already: "a_[1-5]".\n[fjord] Nothing was submitted.',
    );
    expect(await refused("submit", "--name", "a_3", "--replace", "--", "true")).to.include(
      '"a_3" waits already, in the array "a".',
    );
    expect(await refused("submit", "--array", "1-5", "--name", "b", "--", "true")).to.include(
      'A job "b_3" waits already.',
    );
    // Now somebody copies a file with the same name into the queue. The second array waits until no job of the first
    // one waits.
    await project().copy("a.ini", "[control]\nexecutable = false\n[array]\nrange = 1-2\n");
    await project().copy("a_2.ini", "[control]\nexecutable = true\n");
    await project().hire(1);
    await project().run("dispatcher");
    expect(
      project()
        .events("started", "a_2")
        .map(({ attempt }) => attempt),
    ).to.deep.equal([1, 2, 3]);
    expect(await states("a")).to.deep.equal({ failed: 2 }); // These are the jobs of the second array.
  });

  it("can be named by the name that fjord shows, and a name shortened with … is refused", async () => {
    await submitted("t", "1-2000");
    expect(await told("cancel", "t_[1000-1500]")).to.equal("[fjord] Cancelled 501 jobs: t_[1000-1500].\n");
    expect(await told("retry", "t_[1100-1200:10,1300]")).to.include("12 jobs: t_[1100-1200:10,1300]");
    expect((await fjord("cancel", "t_[1-999,…]")).exitCode).to.equal(2);
    expect(await states("t")).to.deep.equal({ waiting: 1511, cancelled: 489 });
  });

  it("cause warnings about probable mistakes, and report each job that was cancelled or given up only once", async () => {
    write(
      "s.ini",
      "[control]\nexecutable = exit {Code} #{cod}\nretries = 1\n[sweep]\ncode = 1..30\nm = 1-2\n",
    );
    const { stderr } = await fjord("submit", "s.ini");
    expect(stderr).to.include("{cod} is not a value and stays as it is. Did you mean {code}?");
    expect(stderr).to.include('m: "1-2" is one value. A range is 1..2.');
    await told("submit", "--name", "single", "--", "true");
    await project().hire(2);
    const dispatcher = project().start("dispatcher", ["--json", "--stay"]);
    await project().until("some jobs have failed", () => project().ends.failed.length > 2);
    await told("submit", "--name", "late", "--priority", "-1", "--", "true");
    await told("cancel", "late");
    await project().until("all jobs have failed", () => project().ends.failed.length === 30);
    await dispatcher.said('"all-ended"');
    const events = dispatcher.stdout
      .trim()
      .split("\n")
      .map((one) => JSON.parse(one));
    const end = events.find(({ kind }) => kind === "all-ended");
    expect(end).to.deep.include({ succeeded: 1, failed: 30 });
    expect(events.filter(({ kind }) => kind === "failed" || kind === "given-up")).to.have.length(30);
  });

  it("are found by the names of their elements before any of them has begun", async () => {
    await project().copy("q.ini", "[control]\nexecutable = true\n[array]\nrange = 0-9:3\n");
    expect(await told("show", "q_6")).to.match(/^q_6: waiting\n/);
    expect(parts("q")).to.deep.equal([]);
    expect((await fjord("show", "q_5")).exitCode).to.equal(3);
    expect(await told("cancel", "q_{3..6..3}")).to.equal("[fjord] Cancelled 2 jobs: q_[3,6].\n");
    expect(parts("q")).to.deep.equal(["0", "9", "array.ini", "cancelled.3", "cancelled.6"]);
  });

  it("are refused when the names of their elements would be too long, and a log keeps the reason", async () => {
    const name = "a".repeat(233);
    project().rename(`${name}.ini`, "[control]\nexecutable = true\n[array]\nrange = 1-100000\n");
    expect((await project().run("dispatcher")).exitCode).to.equal(1);
    const log = fs.readFileSync(project().layout.refusalLog(name), "utf8");
    expect(log).to.include("is 244 bytes long; rename the file to at most 240");
  });

  it("are refused as a whole when they are invalid, with the place of the error", async () => {
    write("x.ini", "[control]\nexecutable = {c}\n[sweep]\nc = true, false\n[array]\nrange = 2-3\n");
    expect(await refused("submit", "x.ini")).to.include(
      'x.ini, line 6, section [array], key "range": there is no element 3: [sweep] makes 1 to 2.\n',
    );
    await project().copy("x.ini", "[control]\nexecutable = true\nlogfile = {c}\n[sweep]\nc = a,\n b\n c\n");
    const { stdout } = await project().run("dispatcher");
    expect(stdout).to.include('Refused: element 2: x.ini, line 2, section [control], key "logfile"');
    expect(project().ends.failed).to.deep.equal(["x"]);
  });

  it("run at once with fjord run, and cannot have --param added", async () => {
    write("x.ini", "[control]\nexecutable = echo {n} #\n[sweep]\nn = 1..4\n");
    const { exitCode, stdout } = await fjord("run", "-j", "2", "-k", "x.ini");
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 0, stdout: "1\n2\n3\n4\n" });
    expect(await refused("submit", "--param", "a=1..2", "x.ini")).to.include(
      "has a section [sweep] or [array] already",
    );
  });

  it("are removed together with the last of their jobs", async () => {
    await submitted("a", "1-6");
    await told("cancel", "a_{5..6}");
    await project().hire(1);
    await project().run("dispatcher");
    await told("clean", "--older-than", "0", "a_{1..4}");
    expect(parts("a")).to.deep.equal(["array.ini", "cancelled.5-6"]);
    expect(await told("clean", "--older-than", "0")).to.include("Removed 2 jobs: a_[5-6]");
    expect(parts("a")).to.deep.equal([]);
    expect((await fjord("show", "a")).exitCode).to.equal(3);
  });

  it("count with all their jobs in the messages of the verbs, and are named first", async () => {
    await submitted("z", "1-1000");
    for (let n = 1; n <= 6; n++) project().job(`a${n}`, "true");
    const names = "z_[1-1000], a1, a2, a3, a4 and 2 more.\n";
    expect(await told("hold", "*")).to.equal(`[fjord] Held 1006 jobs: ${names}`);
    expect(await told("release", "*")).to.equal(`[fjord] Released 1006 jobs: ${names}`);
    expect(await told("cancel", "*")).to.equal(`[fjord] Cancelled 1006 jobs: ${names}`);
    expect(await told("retry", "*")).to.equal(`[fjord] Back into the queue: 1006 jobs: ${names}`);
    await told("cancel", "*");
    expect(await told("clean", "--older-than", "0")).to.equal(`[fjord] Removed 1006 jobs: ${names}`);
  });

  it("name the command that lists the elements when an element does not exist, and change nothing", async () => {
    await submitted("z", "1-10");
    project().job("a", "true");
    for (const [verb, done] of [
      ["cancel", "cancelled"],
      ["hold", "held"],
    ] as const) {
      const { exitCode, stdout, stderr } = await fjord(verb, "a", "z_11", "--project", "test");
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 3, stdout: "" });
      expect(stderr).to.equal(
        `[fjord] There is no job "z_11". Nothing was ${done}.\n` +
          "[fjord] fjord show --project test z tells which elements there are.\n",
      );
    }
    expect((await fjord("show", "--project", "test", "z")).stdout).to.contain("(z_[1-10])");
    expect((await fjord("list", "--json", "--state", "waiting", "a")).stdout).to.contain('"job":"a"');
  });

  it("are available to programs through the library", async () => {
    const opened = await Project.open(project().directory, project().env);
    const [draft, ...more] = await opened.draft({ command: ["true"], array: "1-9:4", name: "p" });
    expect(more).to.deep.equal([]);
    await opened.submitDrafts(draft === undefined ? [] : [draft]);
    const [record] = await opened.arrays(["p", "nothing"]);
    expect(record).to.deep.include({ array: "p", size: 3, states: { waiting: 3 } });
    expect(await opened.cancel(await opened.jobs(["p_5"]))).to.deep.equal([
      { job: "p_5", state: "waiting", end: "done", count: 1 },
    ]);
  });
});
