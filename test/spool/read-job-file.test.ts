import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { readJobFile } from "../../src/spool/read-job-file.js";
import { openStore } from "../../src/store/open-store.js";
import type { Store } from "../../src/store/store.js";

describe("a job file that may not be read", () => {
  let dir: string;
  let store: Store;
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
    fs.writeFileSync(path.join(dir, "a.ini"), "[control]\nexecutable: true\n");
    store = Object.create(openStore(dir, "local")) as Store;
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  const lookAt = async () => readJobFile(store, path.join(dir, "a.ini"), "a.ini");
  /** Lets the next `times` calls fail with EACCES. */
  function deny(method: "read" | "create", times: number): void {
    const real = store[method] as (...args: never[]) => Promise<unknown>;
    let left = times;
    const denied = (...args: never[]) => {
      if (left-- > 0) return Promise.reject(Object.assign(new Error("denied"), { code: "EACCES" }));
      return real.apply(store, args);
    };
    Object.assign(store, { [method]: denied });
  }

  it("is refused when the store serves other files", async () => {
    deny("read", Number.POSITIVE_INFINITY);
    expect(await lookAt()).to.have.property("kind", "refused");
    expect(fs.readdirSync(dir)).to.deep.equal(["a.ini"]);
  });

  it("is read a second time, because a store may deny a read for a moment", async () => {
    deny("read", 1);
    expect(await lookAt()).to.have.property("kind", "valid");
  });

  it("is not refused when the store denies everything", async () => {
    deny("read", Number.POSITIVE_INFINITY);
    deny("create", Number.POSITIVE_INFINITY);
    expect(await lookAt().catch((error: Error) => error.message)).to.equal("denied");
  });
});
