import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { startOfLast } from "../../src/cli/tail.js";

describe("the last lines of a log", () => {
  it("begin at the same byte as those of tail", async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
    const log = path.join(dir, "log");
    const texts = ["one\ntwo\nthree\n", "one\n\nthree", "", "\n", `${"x".repeat(70_000)}\n`.repeat(3)];
    for (const text of texts) {
      fs.writeFileSync(log, text);
      for (const n of [0, 1, 2, 3, 100]) {
        const { stdout } = await execa("tail", ["-n", String(n), log], { stripFinalNewline: false });
        const fd = fs.openSync(log, "r");
        expect(text.slice(startOfLast(n, fd)), `-n ${n} of ${text.slice(0, 20)}`).to.equal(stdout);
        fs.closeSync(fd);
      }
    }
    fs.rmSync(dir, { recursive: true });
  });
});
