import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { leaveEnvironment, takeEnvironment } from "../../src/recruiter/environment.js";
import { killGroup } from "../../src/spool/group.js";
import { startToken } from "../../src/spool/identity.js";
import { isAlive } from "../rig/processes.js";
import { until } from "../rig/until.js";
import { EVE, needUsers } from "../rig/users.js";
import { skip } from "../rig/with-project.js";

describe("an announcement that names a process", () => {
  before(function () {
    if (process.platform !== "linux") skip(this, "only Linux tells a process's environment");
  });

  for (const [whose, mark] of [
    ["no worker's", {}],
    ["another worker's", { FJORD_WORKER: "other" }],
    ["the worker's", { FJORD_WORKER: "forged" }],
  ] as const) {
    it(`of ${whose} ${whose === "the worker's" ? "gets it killed" : "does not get it killed"}`, async () => {
      const victim = execa("sleep", ["1000"], { env: mark, detached: true, reject: false });
      const pid = victim.pid ?? 0;
      try {
        await until(
          "it runs",
          () => isAlive(pid),
          () => String(pid),
        );
        await killGroup(`${pid}:${startToken(pid)}`, "forged");
        expect(isAlive(pid)).to.equal(whose !== "the worker's");
      } finally {
        victim.kill("SIGKILL");
        await victim;
      }
    });
  }
});

describe("the environment file for a worker", () => {
  const file = path.join(os.tmpdir(), `fjord-environment-${process.pid}`);
  afterEach(() => fs.rmSync(file, { force: true }));

  it("is readable by its owner only, and is removed when the worker has read it", () => {
    expect(
      leaveEnvironment(file, { TOKEN: "t", NODE_OPTIONS: "-v", TMUX: "x", NONE: undefined }),
    ).to.deep.equal([["NODE_OPTIONS", "-v"]]);
    expect(fs.statSync(file).mode & 0o777).to.equal(0o600);
    const environment: NodeJS.ProcessEnv = { HERE: "1" };
    takeEnvironment(file, environment);
    expect(environment).to.deep.equal({ HERE: "1", TOKEN: "t", NODE_OPTIONS: "-v" });
    expect(fs.existsSync(file)).to.equal(false);
    takeEnvironment(file, environment);
  });

  it("is not read when it belongs to another user", async function () {
    await needUsers(this);
    leaveEnvironment(file, { LD_PRELOAD: "evil.so" });
    fs.chownSync(file, EVE.uid, EVE.gid);
    const environment: NodeJS.ProcessEnv = {};
    takeEnvironment(file, environment);
    expect(environment).to.deep.equal({});
  });
});
