import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { factsIfThere, ifThere, unlessStale, whenKnown } from "../../src/store/file-facts.js";
import { LocalStore } from "../../src/store/local-store.js";

describe("a local store", () => {
  const store = new LocalStore();
  let dir: string;
  const at = (name: string) => path.join(dir, name);
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
    fs.writeFileSync(at("a"), "text");
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  it("returns what it knows, and no promise, when it reads, looks up and renames a file", () => {
    const reading = store.read(at("a"), 3);
    expect(reading).to.have.property("bytes").that.deep.equals(Buffer.from("tex"));
    expect(store.facts(at("a"))).to.have.property("size", 4);
    expect(factsIfThere(store, at("a"))).to.have.property("size", 4);
    expect(store.rename(at("a"), at("b"))).to.equal(undefined);
    expect(fs.readdirSync(dir)).to.deep.equal(["b"]);
  });

  for (const [what, call] of [
    ["reads", () => store.read(at("none"), 3)],
    ["looks up", () => store.facts(at("none"))],
    ["renames", () => store.rename(at("none"), at("b"))],
  ] as const) {
    it(`returns a rejected promise, and throws nothing, when it ${what} a file that does not exist`, async () => {
      const failed: unknown = call();
      expect(failed).to.be.instanceOf(Promise);
      expect(await (failed as Promise<unknown>).catch(({ code }) => code)).to.equal("ENOENT");
    });
  }
});

describe("a result that is known at once", () => {
  it("is passed on at once", () => {
    expect(whenKnown(1, (n) => n + 1)).to.equal(2);
    expect(ifThere<number>(1)).to.equal(1);
    expect(unlessStale<number>(() => 1)).to.equal(1);
  });

  it("is passed on when it comes, if it is not known yet", async () => {
    expect(await whenKnown(Promise.resolve(1), (n) => n + 1)).to.equal(2);
    const error = (code: string) => Promise.reject(Object.assign(new Error(code), { code }));
    expect(await ifThere(error("ENOENT"))).to.equal(undefined);
    const answers = [error("ESTALE"), Promise.resolve(1)];
    expect(await unlessStale(() => answers.shift() as Promise<number>)).to.equal(1);
  });
});
