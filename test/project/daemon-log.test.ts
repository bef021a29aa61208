import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { openDaemonLog } from "../../src/project/daemon-log.js";
import { projectPerTest, skip } from "../rig/with-project.js";

describe("a daemon's log", () => {
  let dir = "";
  const file = () => path.join(dir, "d.log");

  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
  });
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

  function words(name: string): string[] {
    const lines = fs.readFileSync(path.join(dir, name), "utf8").split("\n").filter(Boolean);
    return lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  }

  it("is JSON lines with level, time and pid", () => {
    const log = openDaemonLog(file(), "info");
    log.logger.info({ worker: "w" }, "on duty");
    log.logger.debug("not this");
    log.close();
    const line = JSON.parse(fs.readFileSync(file(), "utf8")) as Record<string, unknown>;
    expect(line).to.include({ level: 30, pid: process.pid, worker: "w", msg: "on duty" });
    expect(String(line.time)).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it("is continued when its daemon starts again", () => {
    for (const msg of ["first", "second"]) {
      const log = openDaemonLog(file(), "info");
      log.logger.info(msg);
      log.close();
    }
    expect(words("d.log")).to.deep.equal(["first", "second"]);
  });

  it("is not rotated while it is small", () => {
    const log = openDaemonLog(file(), "info", 10_000);
    log.logger.info("small");
    log.rotate();
    log.close();
    expect(fs.readdirSync(dir)).to.deep.equal(["d.log"]);
  });

  it("is rotated when it has grown, into at most three old files, and only the oldest lines are lost", () => {
    const log = openDaemonLog(file(), "info", 500);
    for (let n = 0; n < 6; n++) {
      for (let line = 0; line < 10; line++) log.logger.info(`${n}.${line}`);
      log.rotate();
    }
    log.logger.info("last");
    log.close();
    expect(fs.readdirSync(dir).sort()).to.deep.equal(["d.log", "d.log.1", "d.log.2", "d.log.3"]);
    expect(words("d.log")).to.deep.equal(["last"]);
    const ten = (n: number) => Array.from({ length: 10 }, (_, line) => `${n}.${line}`);
    expect([words("d.log.1"), words("d.log.2"), words("d.log.3")]).to.deep.equal([ten(5), ten(4), ten(3)]);
  });

  it("does not stop its daemon when its directory is removed", () => {
    const log = openDaemonLog(file(), "info", 1);
    log.logger.info("one");
    fs.rmSync(dir, { recursive: true });
    log.rotate();
    log.logger.info("two");
    log.close();
  });
});

describe("a daemon's log on a disk that stays full", () => {
  it("does not stop its daemon", function () {
    if (!fs.existsSync("/dev/full")) skip(this, "there is no /dev/full");
    const log = openDaemonLog("/dev/full", "info");
    log.logger.info("nowhere");
    log.close();
  });
});

describe("the logs of the daemons", () => {
  const project = projectPerTest();

  it("have one file for each daemon, with the detail that FJORD_LOG_LEVEL asks for", async () => {
    project().job("fails", "exit 3;:");
    const [worker = ""] = await project().hire(1);
    const { exitCode } = await project().run("dispatcher", [], { env: { FJORD_LOG_LEVEL: "silent" } });
    expect(exitCode).to.equal(1);
    await project().run("recruiter", ["fire"]);
    const log = fs.readFileSync(project().layout.daemonLog(worker), "utf8");
    expect(log).to.contain('"on duty"').and.to.contain('"exit code 3"').and.to.contain('"left"');
    const dispatcher = project().events("dispatching")[0]?.dispatcher ?? "";
    expect(fs.readFileSync(project().layout.daemonLog(dispatcher), "utf8")).to.equal("");
  });
});
