import { expect } from "chai";
import type { Explanation } from "../../src/explain/explain-jobs.js";
import { Project } from "../../src/library/project.js";
import { kill } from "../rig/processes.js";
import { projectPerTest } from "../rig/with-project.js";

describe("fjord explain", () => {
  const project = projectPerTest();

  async function kindsOf(...jobs: string[]): Promise<Record<string, string>> {
    const { stdout, stderr } = await project().run("fjord", ["explain", ...jobs, "--json"]);
    expect(stderr).to.equal("");
    const explained = JSON.parse(stdout) as Explanation[];
    return Object.fromEntries(
      explained.map(({ job, reasons }) => [job, reasons.map((r) => r.kind).join(" ")]),
    );
  }

  it("determines from the directories why a job does not run, at each step of its life", async () => {
    project().job("a", "false");
    project().job("b", "true", { after: "a", priority: "9" });
    project().job("c", "true", { priority: "1" });
    project().job("d", "true", { nicee: "1" });
    expect(await kindsOf("*")).to.deep.equal({
      a: "not-first nobody-dispatches no-worker",
      b: "after nobody-dispatches no-worker",
      c: "nobody-dispatches no-worker",
      d: "invalid",
    });
    await project().hire(1);
    await project().run("dispatcher");
    expect(await kindsOf("*")).to.deep.equal({ a: "failed", b: "cancelled", c: "succeeded", d: "refused" });
    const text = await project().run("fjord", ["explain", "a", "b"]);
    expect(text.exitCode).to.equal(0);
    expect(text.stdout).to.equal(
      [
        "a: failed",
        `  Its attempt 1 ended: exit code 1. It ran in ${project().work}. → fjord log a; fjord retry a`,
        "b: cancelled",
        "  It was cancelled: it waited for a, which did not succeed. → fjord retry a",
        "",
      ].join("\n"),
    );
  });

  it("names, for a chain of jobs, the job to retry; the commands name the project when the user named it", async () => {
    await project().hire(1);
    project().job("a", "false");
    project().job("b", "true", { after: "a" });
    project().job("c", "true", { after: "b" });
    project().job("d", "true", { after: "c:any, b" });
    await project().run("dispatcher");
    const named = `--project ${project().directory}`;
    const args = ["explain", "a", "c", "d", "--project", project().directory];
    expect((await project().run("fjord", args)).stdout.match(/→ .*/g)).to.deep.equal([
      `→ fjord log a ${named}; fjord retry a ${named}`,
      `→ fjord retry a ${named}`,
      `→ fjord retry a ${named}`,
    ]);
  });

  it("shows, of more than 20 jobs, those with different reasons, and the number of the others", async () => {
    for (let n = 1; n <= 30; n++) project().job(`run${n}`, "true", { after: "gone" });
    for (let n = 1; n <= 30; n++) project().job(`x${n}`, "true", { after: "other" });
    project().job("zz", "true", { nicee: "1" });
    const { stdout } = await project().run("fjord", ["explain", "*"]);
    expect(stdout.match(/^\w+: waiting$/gm)).to.deep.equal(["run1: waiting", "x1: waiting", "zz: waiting"]);
    expect(stdout).to.match(/\n… and 58 more, for reasons like these; .*: fjord explain --json '\*'\n$/);
    expect(Object.keys(await kindsOf("*"))).to.have.length(61);
    expect((await project().run("fjord", ["explain", "run{1..20}"])).stdout).to.contain("run20: waiting\n");
  });

  it("names the jobs that wait for one another in a circle, without the jobs that only wait for one of them", async () => {
    project().job("a", "true", { after: "free, b" });
    project().job("b", "true", { after: "c" });
    project().job("c", "true", { after: "far, a" });
    project().job("far", "true", { after: "itself" });
    project().job("itself", "true", { after: "itself:any" });
    project().job("free", "true");
    const { stdout } = await project().run("fjord", ["explain", "*"]);
    expect(stdout.match(/It waits for itself: .*/g)).to.deep.equal([
      'It waits for itself: a runs after b runs after c runs after a. → take "after" out of one of them: fjord edit a',
      'It waits for itself: b runs after c runs after a runs after b. → take "after" out of one of them: fjord edit b',
      'It waits for itself: c runs after a runs after b runs after c. → take "after" out of one of them: fjord edit c',
      'It waits for itself: itself runs after itself. → take "after" out of one of them: fjord edit itself',
    ]);
  });

  it("knows the running jobs, the jobs behind them, and the jobs whose worker is dead", async () => {
    await project().hire(1);
    const dispatcher = project().start("dispatcher", ["--stay"]);
    const long = await project().remoteJob("long");
    await long.started();
    project().job("next", "true");
    expect(await kindsOf("long", "next")).to.deep.equal({ long: "running", next: "none-free" });
    dispatcher.kill("SIGTERM");
    await dispatcher.end;
    const [worker] = await (await Project.open(project().directory)).workers();
    kill(worker?.process.pid ?? 0, "SIGKILL");
    await project().gone(worker?.process.pid ?? 0);
    expect(await kindsOf("long")).to.deep.equal({ long: "worker-dead" });
  });
});
