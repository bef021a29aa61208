import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { binary } from "../rig/command.js";
import { projectPerTest, skip } from "../rig/with-project.js";

describe("fjord top", () => {
  const project = projectPerTest();

  it("shows the status anew and anew, until q", async function () {
    if (spawnSync("script", ["--version"]).error !== undefined) {
      skip(this, "script (util-linux) is not installed, which makes the terminal");
    }
    const command = `stty rows 30 cols 120; '${process.execPath}' '${binary("fjord")}' top`;
    const terminal = project().startProgram("script", ["-qec", command, "/dev/null"]);
    await terminal.said("0 waiting, 0 running");
    project().job("new", "true");
    await terminal.said("1 waiting, 0 running");
    await terminal.said("Nobody dispatches: dispatcher");
    terminal.type("q");
    const { exitCode, stdout } = await terminal.end;
    expect(exitCode).to.equal(0);
    expect(stdout.startsWith("\x1b[?1049h")).to.equal(true);
    expect(stdout.endsWith("\x1b[?25h\x1b[?1049l")).to.equal(true);
  });

  it("prints it once where there is no terminal", async () => {
    const { exitCode, stdout } = await project().run("fjord", ["top"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.equal((await project().run("fjord", ["status"])).stdout);
  });
});
