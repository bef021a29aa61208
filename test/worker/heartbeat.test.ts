import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Layout } from "../../src/project/layout.js";
import { systemClock } from "../../src/spool/clock.js";
import { LocalStore } from "../../src/spool/local-store.js";
import { Heartbeat } from "../../src/worker/heartbeat.js";

const STALL = 10;

/** Its calls take as long as is said, s. */
class StallingStore extends LocalStore {
  #now = 0;
  override readonly clock = { ...systemClock, now: () => this.#now * 1000 };

  override async create(...args: Parameters<LocalStore["create"]>): Promise<void> {
    await super.create(...args);
    this.#now += STALL;
  }
}

describe("a heartbeat", () => {
  let layout = new Layout("/nowhere");
  beforeEach(() => {
    layout = new Layout(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
    fs.mkdirSync(layout.workerqueue);
  });
  afterEach(() => fs.rmSync(layout.root, { recursive: true }));

  it("is as old as its writing was begun: others may have read it before its writer knew", async () => {
    const heartbeat = new Heartbeat(new StallingStore(), layout, {
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
    });
    await heartbeat.renew();
    expect(heartbeat.silence).to.equal(STALL);
  });
});
