import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { PACKAGE } from "./command.js";
import { isAlive } from "./processes.js";
import { TemporaryProject } from "./temporary-project.js";
import { until } from "./until.js";

describe("npm run test:deep", () => {
  it("runs each test that has a deep sample", () => {
    const tests = path.join(PACKAGE, "test");
    const { spec } = JSON.parse(fs.readFileSync(path.join(PACKAGE, ".mocharc.deep.json"), "utf8"));
    const usesSized = /from "[^"]*sized\.js"/;
    const isSized = (file: string) =>
      file.endsWith(".test.ts") && usesSized.test(fs.readFileSync(path.join(tests, file), "utf8"));
    const files = fs.readdirSync(tests, { recursive: true, encoding: "utf8" }).filter(isSized);
    expect(files).not.to.deep.equal([]);
    for (const file of files) expect(spec).to.include(path.join("dist/test", file.replace(/\.ts$/, ".js")));
  });
});

describe("the rig", () => {
  it("runs a remote-controlled job, and leaves nothing behind", async () => {
    const project = new TemporaryProject();
    await project.hire(1);
    const job = await project.remoteJob("told");
    const dispatcher = project.start("dispatcher");
    const pid = await job.started();
    await job.tell("echo told");
    expect(isAlive(pid)).to.equal(true);
    job.exit(0);
    expect((await dispatcher.end).exitCode).to.equal(0);
    expect((await project.ended("told")).outcome).to.deep.equal({ kind: "succeeded" });
    expect(project.log("told")).to.equal("told\n");
    await project.close();
    expect(fs.existsSync(project.root)).to.equal(false);
  });

  it("fails when a process is left behind, kills the process and removes the project", async function () {
    if (process.platform !== "linux") this.skip();
    const project = new TemporaryProject();
    const stray = project.startProgram("sh", [
      "-c",
      "trap '' TERM; setsid sh -c 'echo $$; exec sleep 1000' & wait",
    ]);
    const pid = Number(await until("the stray runs", () => stray.stdout.trim()));
    stray.kill("SIGKILL");
    let said = "";
    await project.close(1).catch((error) => {
      said = String(error);
    });
    expect(said).to.contain(`left behind after everybody was fired: ${pid} sleep 1000`);
    await until("the stray is gone", () => !isAlive(pid));
    expect(fs.existsSync(project.root)).to.equal(false);
  }).timeout(60_000);

  it("describes the state when a condition does not come true", async () => {
    let said = "";
    await until(
      "pigs fly",
      () => false,
      () => "the pigs sit",
      0.1,
    ).catch((error) => {
      said = String(error);
    });
    expect(said).to.contain("in vain until pigs fly\nthe pigs sit");
  });
});
