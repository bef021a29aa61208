import fs from "node:fs";
import { expect } from "chai";
import { SEED } from "../rig/dice.js";
import { isAlive, kill, processesWith } from "../rig/processes.js";
import { until } from "../rig/until.js";
import { Family } from "./family.js";
import { QUICK, witnessedProjectPerTest } from "./witnessed-project.js";

describe("job groups: no process of a job outlives its worker", function () {
  this.timeout(60_000);
  this.slow(10_000);
  before(() => console.log(`    seed ${SEED}`));
  const project = witnessedProjectPerTest({ ...QUICK, grace: "0.3 s" });

  const family = () => new Family(project());
  const guardians = () =>
    processesWith(project().directory).filter(({ command }) => command.includes("fjord-guardian "));

  it("a child that makes its own session is not killed, as the documentation says", async () => {
    project().dispatcher();
    project().worker();
    project().raise("go");
    const pidFile = family().pidFile;
    const escaping = `setsid sh -c 'echo $$ >>${pidFile}; exec sleep 1000' &`;
    // The child has to leave the group before the job ends. Otherwise it is killed with the group.
    const escaped = `while [ ! -s ${pidFile} ]; do sleep 0.05; done`;
    project().submit({ job: "parent", ends: "jobdone" }, `${escaping} ${escaped}; ${project().line(0)}`);
    const [child = 0] = await family().children(1);
    await project().untilEnded();
    await project().run("recruiter", ["fire", "--wait"]);
    expect(isAlive(child)).to.equal(true);
    kill(child);
    await until("the child has ended", () => !isAlive(child));
    await project().closeDown();
  });

  for (const launchers of ["its first launcher", "a later launcher"]) {
    it(`the roll call kills the family of a worker with ${launchers} after kill -9 of the worker and its guardian`, async () => {
      project().dispatcher();
      const worker = project().worker();
      await project().onDuty(1);
      if (launchers === "a later launcher") {
        // The timeout of a job kills its launcher, so the next job has another group.
        project().submit({ job: "first", ends: "jobfailed" }, project().lineUntil("never"), "timeout: 0.2\n");
        await project().untilEnded();
      }
      project().submit({ job: "parent", ends: "jobdone" }, family().line("go", "sleep 1000"));
      const run = await project().untilRunning("parent");
      const children = await family().children(1);
      for (const { pid } of guardians()) kill(pid);
      worker.kill();
      await project().until("all processes of the job have ended", () => ![run, ...children].some(isAlive));
      project().raise("go");
      project().worker();
      await project().untilEnded();
      await project().closeDown();
    });
  }

  it("the roll call kills the family after kill -9 of a worker, its guardian and its launcher", async () => {
    project().dispatcher();
    const worker = project().worker();
    await project().onDuty(1);
    project().submit({ job: "parent", ends: "jobdone" }, family().line("go", "sleep 1000"));
    const run = await project().untilRunning("parent");
    const children = await family().children(1);
    const stat = fs.readFileSync(`/proc/${run}/stat`, "utf8");
    const launcher = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
    kill(worker.pid, "SIGSTOP"); // otherwise the worker would remove its files itself
    for (const { pid } of guardians()) kill(pid);
    kill(launcher);
    worker.kill();
    await project().until("all processes of the job have ended", () => ![run, ...children].some(isAlive));
    project().raise("go");
    project().worker();
    await project().untilEnded();
    await project().closeDown();
  });

  it("a worker whose directory is removed fails the jobs that need it, and kills only its own jobs", async () => {
    project().dispatcher();
    const worker = project().worker();
    await project().onDuty(1);
    const absolute = `workdir: ${project().root}\ntimeout: 0.3\n`;
    // The timeout of the first job kills its launcher. The next launcher starts after the directory is removed.
    project().submit({ job: "first", ends: "jobfailed" }, project().lineUntil("never"), absolute);
    await project().untilRunning("first");
    fs.rmSync(project().work, { recursive: true });
    await project().untilEnded();
    project().submit({ job: "relative", ends: "jobfailed" }, project().line(0));
    project().submit({ job: "absolute", ends: "jobdone" }, project().line(0), `workdir: ${project().root}\n`);
    project().submit({ job: "over", ends: "jobfailed" }, project().lineUntil("never"), absolute);
    await project().untilEnded(15);
    expect(project().read("joblogs", "relative.1.log")).to.contain(project().work);
    expect(worker.isAlive, worker.output).to.equal(true);
    fs.mkdirSync(project().work);
    await project().closeDown();
  });
});
