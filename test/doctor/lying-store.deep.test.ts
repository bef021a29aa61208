import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { testDelays } from "../../src/doctor/delays.js";
import { examine } from "../../src/doctor/examine.js";
import type { Finding } from "../../src/doctor/finding.js";
import { LocalPeer } from "../../src/doctor/local-peer.js";
import { testLock } from "../../src/doctor/locks.js";
import type { TestContext } from "../../src/doctor/test-context.js";
import { LocalStore } from "../../src/store/local-store.js";
import { NetworkStore } from "../../src/store/network-store.js";
import type { Store } from "../../src/store/store.js";

describe("the doctor finds", () => {
  let scratch: string;

  beforeEach(() => {
    scratch = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
    fs.writeFileSync(path.join(scratch, "mark"), "m");
  });
  afterEach(() => fs.rmSync(scratch, { recursive: true }));

  /** Two peers in this process that share one store, which may break its contract. */
  async function site(store: Store, settings = { beat: 2, lostAfter: 5, poll: 1 }): Promise<TestContext> {
    const [local, remote] = [
      new LocalPeer(scratch, "1", () => store),
      new LocalPeer(scratch, "1", () => store),
    ];
    const task = { mark: "m", store: "auto" } as const;
    const greetings = { local: await local.greet(task), remote: await remote.greet(task) };
    return {
      scratch,
      store,
      storeSetting: "auto",
      settings,
      local,
      remote,
      greetings,
      skew: { offset: 0, error: 0 },
      signal: new AbortController().signal,
    };
  }

  const bad = (findings: readonly Finding[]) =>
    findings.filter(({ verdict }) => verdict === "bad").map(({ test }) => test);
  const examined = async (store: Store) => examine(await site(store));

  for (const store of [new LocalStore(), new NetworkStore()]) {
    it(`nothing bad in an honest ${store.kind} store`, async () => {
      expect(bad(await examined(store))).to.deep.equal([]);
    });
  }

  it("a create that is not exclusive", async () => {
    class Lying extends LocalStore {
      override async create(file: string, content: string | Uint8Array): Promise<void> {
        fs.writeFileSync(file, content);
      }
    }
    expect(bad(await examined(new Lying()))).to.deep.equal(["exclusive create"]);
  });

  it("a rename that copies the file before it removes it", async () => {
    class Lying extends LocalStore {
      override async rename(from: string, to: string): Promise<void> {
        fs.copyFileSync(from, to);
        if (!/\.(here|there)$/.test(to)) fs.unlinkSync(from);
      }
    }
    expect(bad(await examined(new Lying()))).to.deep.equal(["rename: one winner"]);
  });

  it("a rename that loses files", async () => {
    class Lying extends LocalStore {
      override async rename(from: string, to: string): Promise<void> {
        if (/\/7\.(here|there)$/.test(to)) fs.unlinkSync(from);
        else fs.renameSync(from, to);
      }
    }
    const findings = await examined(new Lying());
    expect(findings.find(({ test }) => test === "rename: one winner")?.found).to.equal(
      "1 of 300 files were lost",
    );
  });

  it("a rename that first removes the existing file", async () => {
    class Lying extends LocalStore {
      override async rename(from: string, to: string): Promise<void> {
        fs.rmSync(to, { force: true });
        await new Promise((resolve) => setImmediate(resolve));
        fs.renameSync(from, to);
      }
    }
    const findings = await examined(new Lying());
    expect(findings.find(({ test }) => test === "rename: atomic")?.verdict).to.equal("warning");
  });

  it("a link that replaces an existing file, and a lock that both peers hold", async () => {
    class Lying extends LocalStore {
      override async link(existing: string, file: string): Promise<void> {
        fs.rmSync(file, { force: true });
        fs.linkSync(existing, file);
      }
    }
    expect(bad(await examined(new Lying()))).to.include.members(["hard links", "locks of jobs"]);
  });

  it("a mkdir that accepts an existing directory", async () => {
    class Lying extends LocalStore {
      override async mkdir(dir: string): Promise<void> {
        fs.mkdirSync(dir, { recursive: true });
      }
    }
    expect(await testLock(await site(new Lying()), "seat")).to.include({ verdict: "bad" });
  });

  it("that a store has no hard links, and counts this as a warning", async () => {
    class Poor extends LocalStore {
      override async link(): Promise<void> {
        throw Object.assign(new Error("EPERM: operation not permitted, link"), { code: "EPERM" });
      }
    }
    const findings = await examined(new Poor());
    expect(bad(findings)).to.deep.equal([]);
    expect(findings.find(({ test }) => test === "hard links")?.verdict).to.equal("warning");
  });

  it("a call that always fails", async () => {
    class Refusing extends LocalStore {
      override async overwrite(): Promise<void> {
        throw Object.assign(new Error("EIO: i/o error, write"), { code: "EIO" });
      }
    }
    const findings = await examined(new Refusing());
    expect(findings.find(({ test }) => test === "caches")).to.include({
      verdict: "bad",
      found: "EIO: i/o error, write",
    });
  });

  it("a cache that keeps old content", async () => {
    class Stale extends LocalStore {
      #looks = 0;
      override async read(file: string, limit: number) {
        const fresh = await super.read(file, limit);
        if (path.basename(file) !== "rewritten" || ++this.#looks > 5) return fresh;
        return { ...fresh, bytes: Buffer.from("old") };
      }
    }
    const judgement = await testDelays(await site(new Stale(), { beat: 0.01, lostAfter: 2, poll: 0.001 }));
    expect(judgement).to.include({ verdict: "bad" });
    expect(judgement.found).to.contain("rewritten content");
  });
});
