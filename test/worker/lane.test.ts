import fs from "node:fs";
import { expect } from "chai";
import { Project } from "../../src/library/project.js";
import { until } from "../rig/until.js";
import { projectPerTest } from "../rig/with-project.js";

/** Enough jobs for the worker to know its pace, so that it takes whole rows. */
const SHORT = 40;

describe("several short jobs at once", () => {
  const project = projectPerTest();

  /** A job that runs until the test lets it go. */
  function gate(name: string, keys: Record<string, string> = {}): { open(): void } {
    const file = project().path("..", `${name}.gate`);
    project().job(name, `echo begun; while [ ! -e ${file} ]; do sleep 0.05; done #`, keys);
    return { open: () => fs.writeFileSync(file, "") };
  }

  const names = (prefix: string, count = SHORT) =>
    Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(3, "0")}`);
  const isDone = (name: string) => project().files.done.includes(`${name}.ini`);

  it("end as one by one: each with its log, its result and its line", async () => {
    await project().hire(1);
    for (const name of names("j")) {
      project().job(name, `echo out of ${name}; echo '{"n": ${Number(name.slice(1))}}' > $FJORD_RESULT #`);
    }
    await project().run("dispatcher");
    expect(project().files.done).to.have.length(SHORT);
    for (const name of names("j")) {
      expect(project().log(name)).to.equal(`out of ${name}\n`);
      const ended = project()
        .events("ended")
        .filter(({ job }) => job === name);
      expect(ended.map(({ result, attempt }) => [result, attempt])).to.deep.equal([
        [{ n: Number(name.slice(1)) }, 1],
      ]);
    }
  });

  it("do not trap a job behind one that takes long", async () => {
    await project().hire(2);
    project().start("dispatcher", ["--stay"]);
    for (const name of names("a")) project().job(name, "/bin/true");
    await until("the workers know their pace", () => names("a").every(isDone));
    // All of these come at once, so that short jobs lie behind the long one.
    const long = gate("b005");
    for (const name of names("b").filter((one) => one !== "b005")) project().job(name, "/bin/true");
    await until("all others have ended", () => project().files.done.length === 2 * SHORT - 1);
    expect(
      project()
        .events("started")
        .filter(({ job }) => job === "b005"),
    ).to.have.length(1);
    long.open();
    await until("the long one has ended", () => isDone("b005"));
    expect(project().events("started")).to.have.length(2 * SHORT);
  });

  it("are tried again alone when they fail, and one job's failure concerns no other", async () => {
    await project().hire(1);
    for (const [n, name] of names("j").entries()) {
      project().job(name, n % 10 === 3 ? 'test "$FJORD_ATTEMPT" = 2 #' : "/bin/true", { retries: "1" });
    }
    const { exitCode } = await project().run("dispatcher");
    expect(exitCode).to.equal(0);
    const attempts = (name: string) =>
      project()
        .events("started")
        .filter(({ job }) => job === name).length;
    expect(names("j").map(attempts)).to.deep.equal(names("j").map((_, n) => (n % 10 === 3 ? 2 : 1)));
  });

  it("that share a logfile leave the output of one of them there, whole", async () => {
    await project().hire(1);
    const file = project().path("..", "shared.log");
    for (const name of names("j")) project().job(name, `echo out of ${name} #`, { logfile: file });
    await project().run("dispatcher");
    const order = project()
      .events("ended")
      .map(({ job }) => job);
    expect(fs.readFileSync(file, "utf8")).to.equal(`out of ${order.at(-1)}\n`);
  });

  it("may use what the jobs before them make, as one by one", async () => {
    await project().hire(1);
    const place = (n: number) => project().path("..", `place${n}`);
    for (const [n, name] of names("j").entries()) {
      // The jobs are taken in this order, because they have the same priority and these ages.
      project().job(name, `mkdir ${place(n + 1)} #`, n === 0 ? {} : { workdir: place(n) });
      const age = new Date(Date.now() - (SHORT - n) * 1000);
      fs.utimesSync(project().path("jobqueue", `${name}.ini`), age, age);
    }
    await project().run("dispatcher");
    expect(project().files.failed).to.deep.equal([]);
  });

  it("are held although their worker has claimed them, as long as they have not begun", async () => {
    const [first = ""] = await project().hire(1);
    const [worker] = await (await Project.open(project().directory)).workers();
    const { pid = 0 } = worker?.process ?? {};
    project().start("dispatcher", ["--stay"]);
    for (const name of names("a")) project().job(name, "/bin/true");
    await until("the worker knows its pace", () => names("a").every(isDone));
    const long = gate("b000");
    for (const name of names("b").slice(1)) project().job(name, "/bin/true");
    await until("the long one runs", () => project().events("started", "b000").length > 0);
    process.kill(pid, "SIGSTOP"); // if there is still a job behind the long one in the lane, it stays there
    const held = project().run("fjord", ["hold", "b001"]);
    await until("the worker is asked", () =>
      project()
        .list("jobpod", first)
        .some((entry) => entry.startsWith(".ask.")),
    );
    process.kill(pid, "SIGCONT");
    expect((await held).exitCode).to.equal(0);
    expect(project().files.held).to.deep.equal(["b001.ini"]);
    expect((await project().run("fjord", ["hold", "b000"])).stdout).to.include("because they run");
    long.open();
    await until("the others have ended", () => project().files.done.length === 2 * SHORT - 1);
  });

  it("obey their time limits", async () => {
    await project().hire(1);
    for (const [n, name] of names("j").entries()) {
      project().job(name, n === 20 ? "sleep 60 #" : "/bin/true", { timeout: "1 s" });
    }
    await project().run("dispatcher");
    expect(project().files.failed).to.deep.equal(["j020.ini"]);
    const [ended] = project()
      .events("ended")
      .filter(({ job }) => job === "j020");
    expect(ended?.outcome).to.deep.equal({ kind: "timed-out", after: 1 });
  });

  it("go back to the queue when their worker is fired", async () => {
    const [first = ""] = await project().hire(1);
    project().start("dispatcher", ["--stay"]);
    for (const name of names("a")) project().job(name, "/bin/true");
    await until("the worker knows its pace", () => names("a").every(isDone));
    const long = gate("b000");
    for (const name of names("b").slice(1)) project().job(name, "/bin/true");
    await until("the long one runs", () =>
      project()
        .events("started")
        .some(({ job }) => job === "b000"),
    );
    await project().run("recruiter", ["fire", "--now"]);
    await until("the worker has left", () => !project().workers.includes(first));
    await project().hire(1);
    long.open();
    await until("all have ended", () => project().files.done.length === 2 * SHORT);
    const starts = project()
      .events("started")
      .filter(({ job }) => job !== "b000");
    expect(starts).to.have.length(2 * SHORT - 1);
  });
});
