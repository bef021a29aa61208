import fs from "node:fs";
import { expect } from "chai";
import { lockOf } from "../../src/project/layout.js";
import { Locksmith } from "../../src/spool/locksmith.js";
import type { FileFacts, Store } from "../../src/store/store.js";
import { until } from "../rig/until.js";
import { projectPerTest } from "../rig/with-project.js";

describe("the lock of a job that takes longer than a second", () => {
  const project = projectPerTest();

  /** The project's store. `facts` of locks fails as long as `trouble` has an error code. */
  function storeWith(trouble: { code: string | undefined; asked: number }): Store {
    const { store } = project().site;
    return new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        if (name !== "facts") return value.bind(target);
        return (path: string): FileFacts | Promise<FileFacts> => {
          const isLock = path.endsWith(".lock");
          if (isLock) trouble.asked++;
          if (!isLock || trouble.code === undefined) return value.call(target, path);
          return Promise.reject(Object.assign(new Error(trouble.code), { code: trouble.code }));
        };
      },
    });
  }

  it("stays when the store has trouble while proper-lockfile takes it over", async () => {
    const trouble = { code: "EACCES" as string | undefined, asked: 0 };
    const { layout } = project().site;
    fs.mkdirSync(layout.desk("w"));
    const job = layout.onDesk("w", "a.ini");
    const locksmith = await Locksmith.open({ store: storeWith(trouble), layout }, "w");
    const lost: Error[] = [];
    const lock = await locksmith.lock(job, (error) => lost.push(error));
    try {
      await until("it has been tried", () => trouble.asked > 0);
      expect(fs.existsSync(lockOf(job))).to.equal(true);
      trouble.code = undefined;
      const { asked } = trouble;
      await until("it is tried again", () => trouble.asked > asked);
      expect(lost).to.deep.equal([]);
    } finally {
      expect(await lock?.release()).to.equal(true);
      await locksmith.close();
    }
    expect(fs.existsSync(lockOf(job))).to.equal(false);
  });
});
