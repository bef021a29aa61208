import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { WriteProbe } from "../../src/spool/write-probe.js";
import { systemClock } from "../../src/store/clock.js";
import { isAlive, kill } from "../rig/processes.js";
import { until } from "../rig/until.js";
import { skip } from "../rig/with-project.js";
import { Scribe } from "./scribe.js";

/** Processes that a process has started: proc(5), `children`. */
function childrenOf(pid: number): number[] {
  const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
  return children.split(" ").filter(Boolean).map(Number);
}

describe("a write probe", () => {
  let dir = "";
  let file = "";
  let probe: WriteProbe;

  before(function () {
    if (process.platform !== "linux" || !fs.existsSync("/usr/bin/perl"))
      skip(this, "there is no Linux with Perl");
  });
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
    file = path.join(dir, "a.ini");
    fs.writeFileSync(file, "x");
    probe = new WriteProbe(systemClock);
  });
  afterEach(() => {
    probe.stop();
    fs.rmSync(dir, { recursive: true });
  });

  /** Asks until there is an answer. @returns the helper's process id */
  async function ready(): Promise<number> {
    const before = childrenOf(process.pid);
    expect(await probe.isWritten(file), "before the helper has started").to.equal(undefined);
    await until("the kernel answers", async () => (await probe.isWritten(file)) === false);
    const [helper = 0] = childrenOf(process.pid).filter((pid) => !before.includes(pid));
    return helper;
  }

  it("sees that any process has the file open for writing, under whatever name", async () => {
    await ready();
    await using scribe = new Scribe();
    await scribe.does(`exec 3>>'${file}' 4<'${file}'`);
    expect(await probe.isWritten(file)).to.equal(true);
    fs.linkSync(file, path.join(dir, "b.ini"));
    expect(await probe.isWritten(path.join(dir, "b.ini"))).to.equal(true);
    await scribe.does("exec 3>&-");
    expect(await probe.isWritten(file)).to.equal(false);
  });

  it("sees a writer that has only a copy of the descriptor left", async () => {
    await ready();
    await using scribe = new Scribe();
    await scribe.does(`exec 3>>'${file}'; sleep 1000 >&3 & child=$!; exec 3>&-`);
    expect(await probe.isWritten(file)).to.equal(true);
    await scribe.does("kill $child; wait");
    expect(await probe.isWritten(file)).to.equal(false);
  });

  it("takes names with any character", async () => {
    await ready();
    for (const name of ["with space", "new\nline", "ünï-日本-😀", "$x;`id`", "ä".repeat(120)]) {
      const odd = path.join(dir, name);
      fs.writeFileSync(odd, "x");
      expect(await probe.isWritten(odd), name).to.equal(false);
      const fd = fs.openSync(odd, "a");
      expect(await probe.isWritten(odd), name).to.equal(true);
      fs.closeSync(fd);
    }
  });

  it("lets writers open the file at any time", async () => {
    await ready();
    for (let n = 0; n < 200; n++) {
      const asked = probe.isWritten(file);
      const fd = await fs.promises.open(file, "a");
      await fd.close();
      expect(await asked).to.be.oneOf([true, false]);
    }
    expect(await probe.isWritten(file)).to.equal(false);
  });

  it("has no answer about a file that is gone, and goes on", async () => {
    await ready();
    expect(await probe.isWritten(path.join(dir, "gone.ini"))).to.equal(undefined);
    expect(await probe.isWritten(file)).to.equal(false);
  });

  it("believes no refusal before the file system has granted a lease", async () => {
    await until("the kernel answers", async () => {
      const fd = fs.openSync(file, "a");
      expect(await probe.isWritten(file)).to.equal(undefined);
      fs.closeSync(fd);
      // The helper cannot become ready between these two questions, so if this one has an answer, both reached the kernel.
      return (await probe.isWritten(file)) === false;
    });
    const fd = fs.openSync(file, "a");
    expect(await probe.isWritten(file)).to.equal(true);
    fs.closeSync(fd);
  });

  for (const [what, signal] of [
    ["has been killed", "SIGKILL"],
    ["is stopped", "SIGSTOP"],
  ] as const) {
    it(`has no answer when its helper ${what}`, async () => {
      const helper = await ready();
      kill(helper, signal);
      await until("there is no answer", async () => (await probe.isWritten(file)) === undefined);
      await until("the helper has ended", () => !isAlive(helper));
      expect(await probe.isWritten(file)).to.equal(undefined);
    });
  }

  it("has no answer and no helper after its end", async () => {
    const helper = await ready();
    probe.stop();
    expect(await probe.isWritten(file)).to.equal(undefined);
    await until("the helper has ended", () => !isAlive(helper));
  });

  it("leaves no helper behind when its process is killed", async () => {
    const module = path.resolve(import.meta.dirname, "../../src/spool/write-probe.js");
    const clock = path.resolve(import.meta.dirname, "../../src/store/clock.js");
    const program = `
      import { WriteProbe } from ${JSON.stringify(module)};
      import { systemClock } from ${JSON.stringify(clock)};
      const probe = new WriteProbe(systemClock);
      setInterval(async () => {
        if ((await probe.isWritten(${JSON.stringify(file)})) === false) console.log("ready");
      }, 20);
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const [helper = 0] = childrenOf(child.pid as number);
    expect(isAlive(helper)).to.equal(true);
    child.kill("SIGKILL");
    await until("the helper has ended", () => !isAlive(helper));
  });
});
