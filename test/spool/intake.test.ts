import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { look } from "../../src/spool/intake.js";
import { openStore } from "../../src/spool/open-store.js";
import type { Store } from "../../src/spool/store.js";

describe("a job file that may not be read", () => {
  let dir: string;
  let store: Store;
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
    fs.writeFileSync(path.join(dir, "a.ini"), "[control]\nexecutable: true\n");
    store = Object.create(openStore(dir, "local")) as Store;
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  const lookAt = () => look(store, path.join(dir, "a.ini"), "a.ini");
  /** The next so many calls are denied. */
  function deny(method: "read" | "create", times: number): void {
    const real = store[method] as (...args: never[]) => Promise<unknown>;
    let left = times;
    const denied = (...args: never[]) => {
      if (left-- > 0) return Promise.reject(Object.assign(new Error("denied"), { code: "EACCES" }));
      return real.apply(store, args);
    };
    Object.assign(store, { [method]: denied });
  }

  it("is refused", async () => {
    deny("read", Number.POSITIVE_INFINITY);
    expect(await lookAt()).to.have.property("kind", "refused");
    expect(fs.readdirSync(dir)).to.deep.equal(["a.ini"]);
  });

  it("is asked for twice, as it may be the store's trouble of a moment", async () => {
    deny("read", 1);
    expect(await lookAt()).to.have.property("kind", "valid");
  });

  it("is not refused where everything is denied", async () => {
    deny("read", Number.POSITIVE_INFINITY);
    deny("create", Number.POSITIVE_INFINITY);
    expect(await lookAt().catch((error: Error) => error.message)).to.equal("denied");
  });
});
