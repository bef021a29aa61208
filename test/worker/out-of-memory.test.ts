import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { OomWatch, oomCounters } from "../../src/worker/out-of-memory.js";

describe("the watch for the kernel's out-of-memory killer", () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
  const counter = { file: path.join(directory, "memory.events"), where: "in the group" };
  const count = (n: number) => fs.writeFileSync(counter.file, `oom 9\noom_kill ${n}\noom_group_kill 5\n`);
  const missing = { file: path.join(directory, "missing"), where: "nowhere" };

  after(() => fs.rmSync(directory, { recursive: true }));

  it("counts the processes that the kernel has killed since the last reading", () => {
    count(3);
    const watch = new OomWatch([missing, counter]);
    expect(watch.describe()).to.match(
      /usual cause is the kernel's .*, but it ended nothing in the group since /,
    );
    count(4);
    expect(watch.describe()).to.match(
      /out-of-memory killer, most likely: it ended 1 process in the group since /,
    );
    count(6);
    expect(watch.describe()).to.contain("it ended 2 processes in the group");
    fs.unlinkSync(counter.file);
    expect(watch.describe()).to.match(/The usual cause is the kernel's out-of-memory killer\.$/);
  });

  it("names the most frequent cause when no counter can be read", () => {
    expect(new OomWatch([missing]).describe()).to.equal(
      "fjord: killed by SIGKILL, which fjord did not send. The usual cause is the kernel's out-of-memory killer.",
    );
  });

  it("finds a counter on Linux", function () {
    if (process.platform !== "linux") this.skip();
    expect(oomCounters().some(({ file }) => fs.existsSync(file))).to.equal(true);
  });
});
