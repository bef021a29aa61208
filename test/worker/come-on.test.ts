import fs from "node:fs";
import { expect } from "chai";
import pino from "pino";
import { LocalStore } from "../../src/store/local-store.js";
import { Worker } from "../../src/worker/worker.js";
import { sitePerTest } from "../rig/site.js";

describe("a worker that starts its duty", () => {
  const site = sitePerTest();

  function workerIn(store: LocalStore): Worker {
    const log = pino({ level: "silent" });
    return new Worker({
      ...site(),
      store,
      log,
      id: "w",
      directory: site().layout.root,
    });
  }

  async function onDuty(takeAway: (desk: string) => void): Promise<string> {
    const store = new (class extends LocalStore {
      override async mkdir(...args: Parameters<LocalStore["mkdir"]>): Promise<void> {
        await super.mkdir(...args);
        if (args[0] === site().layout.desk("w")) takeAway(args[0]);
      }
    })();
    return workerIn(store).onDuty();
  }

  it("leaves, so that it can come back, when it was stopped for so long that it was declared lost", async () => {
    expect(await onDuty((desk) => fs.renameSync(desk, site().layout.fencedDesk("w")))).to.equal("fenced");
    expect(fs.readdirSync(site().layout.workerqueue)).to.deep.equal([]);
    expect(fs.readFileSync(site().layout.ledgerOf("w"), "utf8")).to.include('"event":"left"');
  });

  it("fails with the error of the store when the project is moved away", async () => {
    const end = onDuty(() => fs.renameSync(site().layout.jobpod, `${site().layout.jobpod}.away`));
    expect(await end.catch((error: NodeJS.ErrnoException) => error.code)).to.equal("ENOENT");
  });

  it("leaves at once when it was fired before it was announced", async () => {
    const worker = workerIn(new LocalStore());
    const end = worker.onDuty();
    worker.dismiss("after-job", "SIGTERM");
    expect(await end).to.equal("left");
    expect(fs.readdirSync(site().layout.workerqueue)).to.deep.equal([]);
    expect(fs.existsSync(site().layout.desk("w"))).to.equal(false);
    expect(fs.readFileSync(site().layout.ledgerOf("w"), "utf8")).to.include('"reason":"SIGTERM"');
  });
});
