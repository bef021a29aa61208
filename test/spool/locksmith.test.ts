import fs from "node:fs";
import { expect } from "chai";
import { lockOf } from "../../src/project/layout.js";
import { Locksmith } from "../../src/spool/locksmith.js";
import type { Store } from "../../src/store/store.js";
import { until } from "../rig/until.js";
import { projectPerTest } from "../rig/with-project.js";

describe("the lock of a job that takes longer than a second", () => {
  const project = projectPerTest();

  /** The project's store with other methods. */
  function storeWith(change: (usual: Store) => Partial<Store>): Store {
    const { store } = project().site;
    const changed = change(store);
    return new Proxy(store, {
      get(target, key) {
        const value: unknown = Reflect.get(key in changed ? changed : target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  async function lockOn(store: Store) {
    const { layout } = project().site;
    fs.mkdirSync(layout.desk("w"));
    const job = layout.onDesk("w", "a.ini");
    const locksmith = await Locksmith.open({ store, layout }, "w");
    const lost: Error[] = [];
    const lock = await locksmith.lock(job, (error) => lost.push(error));
    return { locksmith, lock, lost, file: lockOf(job) };
  }

  it("stays when the store has trouble while proper-lockfile takes it over", async () => {
    let isInTrouble = true;
    let asked = 0;
    const store = storeWith((usual) => ({
      facts: (path) => {
        if (path.endsWith(".lock")) asked++;
        if (!path.endsWith(".lock") || !isInTrouble) return usual.facts(path);
        return Promise.reject(Object.assign(new Error("EACCES"), { code: "EACCES" }));
      },
    }));
    const { locksmith, lock, lost, file } = await lockOn(store);
    try {
      await until("proper-lockfile has asked", () => asked > 0);
      expect(fs.existsSync(file)).to.equal(true);
      isInTrouble = false;
      const before = asked;
      await until("it asks again", () => asked > before);
      expect(lost).to.deep.equal([]);
    } finally {
      expect(await lock?.release()).to.equal(true);
      await locksmith.close();
    }
    expect(fs.existsSync(file)).to.equal(false);
  });

  it("is not made again when it is released just then", async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const takenOver: string[] = [];
    const store = storeWith((usual) => ({
      // The removal takes effect at once, but the store says so late.
      unlink: async (path) => {
        await usual.unlink(path);
        if (path.endsWith("a.ini.lock")) await released;
      },
      facts: (path) => {
        takenOver.push(path);
        return usual.facts(path);
      },
    }));
    const { locksmith, lock, file } = await lockOn(store);
    const other = await locksmith.lock(project().site.layout.onDesk("w", "b.ini"), () => undefined);
    const end = lock?.release();
    try {
      await until("the other lock is taken over", () =>
        takenOver.some((path) => path.endsWith("b.ini.lock")),
      );
      expect(fs.existsSync(file)).to.equal(false);
    } finally {
      release();
      expect(await end).to.equal(true);
      await other?.release();
      await locksmith.close();
    }
  });
});
