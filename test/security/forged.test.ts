import { expect } from "chai";
import { execa } from "execa";
import { killGroup } from "../../src/spool/group.js";
import { startToken } from "../../src/spool/identity.js";
import { isAlive } from "../rig/processes.js";
import { until } from "../rig/until.js";
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
    it(`that is ${whose} ${whose === "the worker's" ? "has it killed" : "leaves it alone"}`, async () => {
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
