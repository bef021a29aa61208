import { expect } from "chai";
import { projectPerTest } from "../rig/with-project.js";

describe("an option that takes one value, given twice", () => {
  const project = projectPerTest();

  it("has its last value in fjord submit, run, log and clean", async () => {
    const named = await project().run("fjord", ["submit", "--name", "x", "--name", "y", "--", "echo", "hi"]);
    expect(named).to.include({ exitCode: 0, stderr: "" });
    expect(named.stdout).to.contain("Submitted y.\n");
    const ran = await project().run("fjord", ["run", "-j", "0", "-j", "1", "--json", "--json", "--", "true"]);
    expect(ran).to.include({ exitCode: 0, stderr: "" });
    const older = ["--older-than", "soon", "--older-than=1d"];
    expect((await project().run("fjord", ["clean", ...older])).stdout).to.equal("[fjord] Removed 0 jobs.\n");
    const waited = await project().run("fjord", ["wait", "--timeout", "1h", "--timeout", "0", "y"]);
    expect(waited).to.include({ exitCode: 2, stderr: "" });
    const log = await project().run("fjord", ["log", "-n", "1.5", "-n", "1", "y"]);
    expect(log).to.include({ exitCode: 3, stdout: "" });
  });

  it("has its last value when it is --project, with yargs and without", async () => {
    for (const more of [["status"], ["status", "--json", "--json"], ["list"]]) {
      const twice = await project().run("fjord", [...more, "--project", "gone", "--project", "test"]);
      expect(twice, more.join(" ")).to.include({ exitCode: 0, stderr: "" });
      const { stderr } = await project().run("fjord", [...more, "--project", "test", "--project", "gone"]);
      expect(stderr).to.contain('no project "gone"');
    }
  });

  it("has its last value in recruiter, dispatcher and worker", async () => {
    const hired = await project().run("recruiter", ["hire", "--via", "tmux", "--via", "b"]);
    expect(hired.exitCode).to.equal(2);
    expect(hired.stderr).to.contain('--via: found "b"');
    project().job("a", "true");
    await project().hire(1);
    const callbacks = ["--callback", "echo first", "--callback", "echo last"];
    expect((await project().run("dispatcher", callbacks)).stdout)
      .to.contain("last\n")
      .and.not.contain("first");
    const { stderr } = await project().run("worker", ["--id", "a", "--id", "b c"]);
    expect(stderr).to.contain('--id: "b c"');
  });

  it("is distinct from an option that may be repeated", async () => {
    const args = ["submit", "--dry-run", "--param", "a=1,2", "--param", "b=3", "--", "echo", "{a}{b}"];
    const { stdout } = await project().run("fjord", args);
    expect(stdout.match(/echo \d\d/g)).to.deep.equal(["echo 13", "echo 23"]);
    expect(await project().run("fjord", ["list", "--state", "done", "--state", "failed"])).to.include({
      exitCode: 0,
      stdout: "No jobs.\n",
    });
  });
});
