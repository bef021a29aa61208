import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import type { Layout } from "../../src/project/layout.js";
import { removeAbandoned } from "../../src/spool/abandoned-files.js";
import { storeTime } from "../../src/spool/settling.js";
import { submit } from "../../src/spool/submit.js";
import { openStore } from "../../src/store/open-store.js";
import type { Store } from "../../src/store/store.js";
import { sitePerTest } from "../rig/site.js";

const HOUR = 60 * 60 * 1000;
const ID = "0b8b8e6e-5d5c-4f0a-9d3a-1f2e3d4c5b6a";

describe("a temporary file that a killed process left in the queue", () => {
  const site = sitePerTest();
  let layout: Layout;

  beforeEach(() => {
    layout = site().layout;
  });

  /** A store whose clock is `ahead` ms ahead of ours. By this clock, all present entries of the queue are `age` ms old. */
  function aged(kind: "local" | "network", age: number, ahead = 0): Store {
    const store = openStore(layout.root, kind);
    const old = new Set(fs.readdirSync(layout.jobqueue));
    const facts = async (file: string) => {
      const found = await store.facts(file);
      return { ...found, ctimeMs: found.ctimeMs + ahead - (old.has(path.basename(file)) ? age : 0) };
    };
    return new Proxy(store, {
      get: (target, name: keyof Store) => {
        const own = name === "facts" ? facts : target[name];
        return typeof own === "function" ? own.bind(target) : own;
      },
    });
  }

  async function tidy(store: Store): Promise<string[]> {
    await removeAbandoned(store, layout.jobqueue, fs.readdirSync(layout.jobqueue));
    return fs.readdirSync(layout.jobqueue).sort();
  }

  for (const [kind, ahead] of [
    ["local", 0],
    ["network", 0],
    ["network", -72 * HOUR],
    ["network", 72 * HOUR],
  ] as const) {
    it(`is removed after a day and not before (${kind} store, clock ${ahead / HOUR} h ahead)`, async () => {
      fs.writeFileSync(layout.queued(`.${ID}.tmp`), "[control]\n");
      expect(await tidy(aged(kind, 23 * HOUR, ahead))).to.deep.equal([`.${ID}.tmp`]);
      expect(await tidy(aged(kind, 25 * HOUR, ahead))).to.deep.equal([]);
    });
  }

  it("is recognized by its name alone, and no other entry is removed", async () => {
    const others = [
      `${ID}.tmp`,
      `.${ID}.tmp~`,
      `.${ID}`,
      `.${ID}x.tmp`,
      `.${ID.toUpperCase()}.tmp`,
      `${ID}.ini`,
    ];
    for (const name of others) fs.writeFileSync(layout.queued(name), "");
    const directory = `.${crypto.randomUUID()}.tmp`;
    fs.mkdirSync(layout.queued(directory));
    expect(await tidy(aged("local", 100 * HOUR))).to.deep.equal([...others, directory].sort());
  });

  for (const [what, call, act] of [
    ["a submit", "rename", (store) => submit({ ...site(), store }, "a.ini", "[control]\n", false)],
    ["a reader of the store's time", "facts", (store) => storeTime(store, layout.jobqueue)],
    ["a reader that already knows the store's time", "unlink", (store) => storeTime(store, layout.jobqueue)],
  ] as [string, keyof Store, (store: Store) => Promise<unknown>][]) {
    it(`is recognized and removed when ${what} was killed`, async () => {
      const store = openStore(layout.root, "network");
      await new Promise<void>((resolve) => {
        const isKilled = () => {
          resolve();
          return new Promise(() => undefined);
        };
        const dies = new Proxy(store, {
          get: (target, name: keyof Store) => (name === call ? isKilled : target[name]),
        });
        void act(dies);
      });
      expect(fs.readdirSync(layout.jobqueue)).to.have.length(1);
      expect(await tidy(aged("local", 25 * HOUR))).to.deep.equal([]);
    });
  }

  it("is not left when the store refuses the rename", async () => {
    const store = Object.create(openStore(layout.root, "local")) as Store;
    store.rename = () => Promise.reject(new Error("refused"));
    const end = submit({ ...site(), store }, "a.ini", "[control]\n", false).catch(
      (error: Error) => error.message,
    );
    expect(await end).to.equal("refused");
    expect(fs.readdirSync(layout.jobqueue)).to.deep.equal([]);
  });
});
