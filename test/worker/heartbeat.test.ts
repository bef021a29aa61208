import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Layout } from "../../src/project/layout.js";
import type { Announcement } from "../../src/spool/announcement.js";
import { systemClock } from "../../src/spool/clock.js";
import { LocalStore } from "../../src/spool/local-store.js";
import { Heartbeat } from "../../src/worker/heartbeat.js";

const STALL = 10;

/** Its calls take as long as is said, s. */
class StallingStore extends LocalStore {
  #now = 0;
  override readonly clock = { ...systemClock, now: () => this.#now * 1000 };

  pass(seconds: number): void {
    this.#now += seconds;
  }

  override async create(...args: Parameters<LocalStore["create"]>): Promise<void> {
    await super.create(...args);
    this.#now += STALL;
  }
}

const FIRST: Announcement = {
  worker: "w",
  host: "here",
  process: { pid: 1, start: "1", space: "s" },
  state: "idle",
  beat: 0,
  slots: 1,
  pace: 0,
  spread: 0,
  group: "",
  directory: "/",
  since: "",
  log: "",
};

describe("a heartbeat", () => {
  let layout = new Layout("/nowhere");
  beforeEach(() => {
    layout = new Layout(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
    fs.mkdirSync(layout.workerqueue);
  });
  afterEach(() => fs.rmSync(layout.root, { recursive: true }));

  it("is as old as its writing was begun: others may have read it before its writer knew", async () => {
    const heartbeat = new Heartbeat(new StallingStore(), layout, FIRST, 10);
    await heartbeat.renew();
    expect(heartbeat.silence).to.equal(STALL);
    expect(heartbeat.sinceReturn).to.equal(Number.POSITIVE_INFINITY);
  });

  it("knows since when it is heard again after a long silence", async () => {
    const store = new StallingStore();
    const heartbeat = new Heartbeat(store, layout, FIRST, STALL - 1);
    await heartbeat.renew();
    expect(heartbeat.sinceReturn).to.equal(0);
    store.pass(3);
    expect(heartbeat.sinceReturn).to.equal(3);
  });
});
