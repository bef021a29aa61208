import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Layout } from "../../src/project/layout.js";
import { readSettingsFile } from "../../src/project/read-settings-file.js";

describe("a project's settings.ini", () => {
  let layout: Layout;
  beforeEach(() => {
    layout = new Layout(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
  });
  afterEach(() => fs.rmSync(layout.root, { recursive: true }));

  it("sets nothing when the file does not exist", () => {
    expect(readSettingsFile(layout, "private")).to.deep.equal({});
  });

  it("does not count as missing when it cannot be read, because other processes may use it", () => {
    fs.symlinkSync(layout.settings, layout.settings);
    expect(() => readSettingsFile(layout, "private")).to.throw("ELOOP");
  });
});
