import { expect } from "chai";
import type { Announcement } from "../../src/spool/announcement.js";
import { systemClock } from "../../src/store/clock.js";
import { LocalStore } from "../../src/store/local-store.js";
import { Heartbeat } from "../../src/worker/heartbeat.js";
import { sitePerTest } from "../rig/site.js";

/** Duration of a write, in seconds. */
const STALL = 10;

/** A store whose `create` takes `STALL` seconds on the store's own clock. */
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
  const site = sitePerTest();

  it("is as old as the start of its write, because other processes may read it before the write returns", async () => {
    const heartbeat = new Heartbeat({ ...site(), store: new StallingStore() }, FIRST, 10);
    await heartbeat.renew();
    expect(heartbeat.silence).to.equal(STALL);
    expect(heartbeat.sinceReturn).to.equal(Number.POSITIVE_INFINITY);
  });

  it("knows the time of its return after a long silence", async () => {
    const store = new StallingStore();
    const heartbeat = new Heartbeat({ ...site(), store }, FIRST, STALL - 1);
    await heartbeat.renew();
    expect(heartbeat.sinceReturn).to.equal(0);
    store.pass(3);
    expect(heartbeat.sinceReturn).to.equal(3);
  });
});
