import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { openStore } from "../../src/spool/open-store.js";
import { PIECE } from "../../src/spool/store.js";

for (const kind of ["local", "network"] as const) {
  describe(`a long directory on a ${kind} file system`, () => {
    const store = openStore(os.tmpdir(), kind);
    let dir: string;
    beforeEach(() => {
      dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
    });
    afterEach(() => fs.rmSync(dir, { recursive: true }));

    it("is listed piece by piece, hidden names and odd ones too, each once", async () => {
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

    it("is missed when it is not there", async () => {
      const error = await store
        .pieces(path.join(dir, "nowhere"))
        .next()
        .catch((e) => e);
      expect(error).to.have.property("code", "ENOENT");
    });
  });
}
