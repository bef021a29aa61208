import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { openStore } from "../../src/store/open-store.js";
import { PIECE } from "../../src/store/store.js";
import { sized } from "../rig/sized.js";

for (const kind of sized<("local" | "network")[]>(["network"], ["local", "network"])) {
  describe(`a long directory on a ${kind} file system`, () => {
    const store = openStore(os.tmpdir(), kind);
    let dir: string;
    beforeEach(() => {
      dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
    });
    afterEach(() => fs.rmSync(dir, { recursive: true }));

    it("is listed piece by piece, with each name once, also hidden and unusual names", async () => {
      const names = Array.from({ length: 1.2 * PIECE }, (_, n) => `job${n}.ini`).concat(
        ".hidden",
        "with space",
        "ünï",
      );
      for (const name of names) fs.writeFileSync(path.join(dir, name), "");
      const seen: string[] = [];
      for await (const piece of store.pieces(dir)) seen.push(...piece);
      expect(seen).to.have.members(names);
      expect(seen).to.have.members(await store.list(dir));
    });

    it("throws ENOENT when it does not exist", async () => {
      const error = await store
        .pieces(path.join(dir, "nowhere"))
        .next()
        .catch((e) => e);
      expect(error).to.have.property("code", "ENOENT");
    });
  });
}
