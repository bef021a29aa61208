import fs from "node:fs";
import { expect } from "chai";
import { Stock } from "../../src/dispatcher/stock.js";
import { sitePerTest } from "../rig/site.js";
import { skip } from "../rig/with-project.js";

describe("the stock, while a file is being written,", () => {
  const site = sitePerTest();

  before(function () {
    if (process.platform !== "linux") skip(this, "only Linux tells who writes a file");
  });

  /** @param now time of the dispatcher's clock, in ms @param rings whether events come from the queue */
  function stockAt(now: () => number, rings: boolean): Stock {
    const store = Object.create(site().store, {
      clock: { value: { ...site().store.clock, now } },
      rings: { value: rings },
    });
    const actor = { ...site(), store, ledger: { append: async () => undefined } };
    return new Stock(actor, { refused: () => undefined, cancelled: () => undefined });
  }

  async function look(stock: Stock): Promise<void> {
    await stock.list();
    await stock.readOn();
  }

  for (const [rings, pauses] of [
    [true, [2, 2, 4, 8, 16, 32, 64, 100, 100]],
    [false, [100, 100, 100]],
  ] as const) {
    it(`looks again ${rings ? "soon, and then less and less often" : "at regular intervals without events"}`, async () => {
      let now = 1000;
      const stock = stockAt(() => now, rings);
      await look(stock);
      expect(stock.pauseBeforeUnsettled).to.equal(Number.POSITIVE_INFINITY);
      const file = site().layout.queued("a.ini");
      for (let round = 0; round < 2; round++) {
        const fd = fs.openSync(file, "w");
        fs.writeSync(fd, "[control]\nexecutable = true\n");
        for (const pause of pauses) {
          await look(stock);
          expect(stock.hasUnsettled).to.equal(true);
          expect(stock.pauseBeforeUnsettled).to.equal(pause);
          now += pause;
        }
        fs.closeSync(fd);
        if (round === 0) fs.unlinkSync(file); // the writer has changed its mind
        await look(stock);
        expect(stock.hasUnsettled).to.equal(false);
        expect(stock.pauseBeforeUnsettled).to.equal(Number.POSITIVE_INFINITY);
      }
      expect(stock.take(() => true)?.file).to.equal("a.ini");
      await stock.stop();
    });
  }
});
