import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { statusLines, statusText } from "../../src/cli/status-text.js";
import { emptyStatus, type WorkerStatus } from "../../src/report/status.js";
import { binary } from "../rig/command.js";
import { projectPerTest, skip } from "../rig/with-project.js";

describe("the screen of fjord top", () => {
  const worker = { worker: "w", host: "h", state: "dead", directory: "/", since: "", log: "" } as const;
  const dead = Array.from({ length: 50 }, () => worker as unknown as WorkerStatus);
  const status = { ...emptyStatus("/p"), waiting: 1, workers: dead };
  const hints = ["No worker is on duty: recruiter hire", "Nobody dispatches: dispatcher"];

  it("is the whole status when the status fits", () => {
    expect(statusLines(status, undefined, 99).join("\n")).to.equal(statusText(status, undefined).trimEnd());
  });

  it("shows the problems even when the workers fill the screen", () => {
    const lines = statusLines(status, undefined, 23);
    expect(lines).to.have.length(23);
    expect(lines.slice(0, 2).join()).to.match(/^\/p,1 waiting/);
    expect(lines.slice(-2)).to.deep.equal(hints);
  });
});

describe("fjord top", () => {
  const project = projectPerTest();

  it("refreshes the status until the user presses q", async function () {
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

  it("prints the status once when there is no terminal", async () => {
    const { exitCode, stdout } = await project().run("fjord", ["top"]);
    expect(exitCode).to.equal(0);
    expect(stdout).to.equal((await project().run("fjord", ["status"])).stdout);
  });
});
