import fs from "node:fs";
import { expect } from "chai";
import { pino } from "pino";
import { dispatchAs } from "../../src/dispatcher/dispatch.js";
import type { Store } from "../../src/store/store.js";
import { sitePerTest } from "../rig/site.js";

describe("a dispatcher that cannot begin", () => {
  const site = sitePerTest();

  it("leaves no key and no dispatcher lock behind when its ledger cannot be written", async () => {
    const { layout, store } = site();
    const full = Object.create(store) as Store;
    full.appender = async (path) => {
      const appender = await store.appender(path);
      const append = () =>
        Promise.reject(Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" }));
      return { append, flush: () => appender.flush(), close: () => appender.close() };
    };
    const self = { id: "host-d-00000000", log: pino({ level: "silent" }) };
    const end = dispatchAs(
      self,
      new AbortController().signal,
      { ...site(), store: full },
      {},
      async () => {},
    );
    expect(await end.catch(({ code }) => code)).to.equal("ENOSPC");
    expect(fs.readdirSync(layout.jobpod).filter((name) => name.endsWith(".key"))).to.deep.equal([]);
    expect(fs.readdirSync(layout.root)).not.to.include("dispatcher.lock");
  });
});
