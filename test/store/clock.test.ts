import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { backoffAfter } from "../../src/job/backoff.js";
import { wait } from "../../src/jobs/wait.js";
import { Layout } from "../../src/project/layout.js";
import { acquireDispatcherLock } from "../../src/spool/dispatcher-lock.js";
import { type Clock, clockOf, LONGEST_TIMER, systemClock, type Timers } from "../../src/store/clock.js";
import { LocalStore } from "../../src/store/local-store.js";
import { Guardian } from "../../src/worker/guardian.js";
import { PACKAGE } from "../rig/command.js";
import { projectPerTest } from "../rig/with-project.js";

const DAY = 86_400_000;
const LONG = [30, 400];

/** Timers that, as Node's do, fire at once when they are set for longer than LONGEST_TIMER. */
class NodesTimers implements Timers<number> {
  #now = 0;
  #last = 0;
  readonly #set = new Map<number, { readonly due: number; readonly call: () => void }>();

  now(): number {
    return this.#now;
  }

  set(call: () => void, ms: number): number {
    const isTaken = ms >= 1 && ms <= LONGEST_TIMER;
    this.#set.set(++this.#last, { due: this.#now + (isTaken ? ms : 1), call });
    return this.#last;
  }

  clear(timer: number): void {
    this.#set.delete(timer);
  }

  async passUntil(time: number): Promise<void> {
    for (;;) {
      const [first] = [...this.#set].sort(([, a], [, b]) => a.due - b.due);
      if (first === undefined || first[1].due > time) break;
      this.#set.delete(first[0]);
      this.#now = first[1].due;
      first[1].call();
      await Promise.resolve();
    }
    this.#now = time;
  }
}

describe("the clock", () => {
  let timers = new NodesTimers();
  let clock: Clock = clockOf(timers);
  let called = 0;
  const call = () => called++;
  beforeEach(() => {
    timers = new NodesTimers();
    clock = clockOf(timers);
    called = 0;
  });

  for (const ms of [5, LONGEST_TIMER, LONGEST_TIMER + 1, ...LONG.map((days) => days * DAY)]) {
    it(`waits for ${ms} ms, and not for one less`, async () => {
      clock.after(ms, call);
      void clock.sleep(ms).then(call);
      const stop = clock.every(ms, call);
      await timers.passUntil(ms - 1);
      expect(called).to.equal(0);
      await timers.passUntil(ms);
      expect(called).to.equal(3);
      await timers.passUntil(3 * ms);
      expect(called).to.equal(5);
      stop();
      await timers.passUntil(9 * ms);
      expect(called).to.equal(5);
    });
  }

  it("can stop a long timer halfway, and never fires an infinite one", async () => {
    const end = new AbortController();
    const callOff = clock.after(400 * DAY, call);
    void clock.sleep(400 * DAY, end.signal).then(call);
    const stop = clock.every(400 * DAY, call);
    clock.after(Number.POSITIVE_INFINITY, call);
    await timers.passUntil(399 * DAY);
    callOff();
    stop();
    end.abort();
    await timers.passUntil(400 * DAY);
    expect(called).to.equal(1); // an aborted sleep resolves
    await timers.passUntil(4000 * DAY);
    expect(called).to.equal(1);
  });

  it("is the only source file that sets timers or starts a process with a timeout", () => {
    const source = path.join(PACKAGE, "src");
    const files = fs
      .readdirSync(source, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"));
    expect(files).to.include(path.join("store", "clock.ts"));
    const isTimer = /\bsetTimeout\b|\bsetInterval\b|AbortSignal\.timeout|scheduler\.wait/;
    const making = files.filter((file) => {
      const text = fs.readFileSync(path.join(source, file), "utf8");
      const isStarting = /from "(?:execa|node:child_process)"/.test(text) && /\btimeout:/.test(text);
      return isTimer.test(text) || isStarting;
    });
    expect(making).to.deep.equal([path.join("store", "clock.ts")]);
  });
});

describe("a duration of weeks", () => {
  const project = projectPerTest();

  it("is a valid timeout of `fjord wait`, and a valid backoff of a retry", async () => {
    project().job("a", "true");
    let now = 0;
    const store = new (class extends LocalStore {
      override readonly clock = {
        ...systemClock,
        now: () => now,
        sleep: async () => {
          now += DAY;
        },
      };
    })();
    for (const days of LONG) {
      now = 0;
      const { end } = await wait({ ...project().site, store }, ["a"], { timeout: days * 86_400 });
      expect([end, now]).to.deep.equal(["timeout", days * DAY]);
      expect(backoffAfter(1, days)).to.equal(days);
      expect(backoffAfter(1_000_000, days)).to.equal(100 * days);
    }
  });

  it("does not overflow in the dispatcher's lock or in the guardian of a worker's jobs", async () => {
    const layout = new Layout(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    const lost = () => expect.fail("the lock was lost");
    for (const days of LONG) {
      const lock = await acquireDispatcherLock(
        new LocalStore(),
        layout.dispatcherLock,
        `d${days}`,
        days * 86_400,
        lost,
      );
      expect(await lock?.release()).to.equal(true);
      const group = project().startProgram("setsid", ["sleep", "1000"]);
      const guardian = new Guardian(group.pid);
      guardian.watch(days * 86_400);
      expect(await guardian.dismiss()).to.equal(false); // the guardian has not killed the group
      group.kill("SIGKILL");
    }
    process.off("warning", onWarning);
    expect(warnings).to.deep.equal([]);
    fs.rmSync(layout.root, { recursive: true });
  });

  it("is accepted by every setting and option that takes a duration", async () => {
    const keys = ["beat", "poll", "settle", "grace", "retry_backoff", "idle_limit"];
    const lines = keys.map((key) => `${key} = 400 d\n`).join("");
    fs.writeFileSync(project().layout.settings, `[fjord]\n${lines}lost_after = 999999\n`);
    const run = ["run", "--project", project().directory, "--timeout", "400d"];
    expect(await project().run("fjord", [...run, "--", "echo ok"])).to.deep.include({
      exitCode: 0,
      stdout: "ok\n",
      stderr: "",
    });
    expect(fs.readdirSync(project().layout.daemonlogs).filter((file) => file.endsWith(".out"))).to.be.empty;
    const { stdout } = await project().run("fjord", ["clean", "--older-than", "400d", "--json"]);
    expect(JSON.parse(stdout)).to.deep.include({ jobs: [] });
  });
});
