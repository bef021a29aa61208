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

  it("says nothing where there is none", () => {
    expect(readSettingsFile(layout, "private")).to.deep.equal({});
  });

  it("is not taken for missing where it cannot be asked for: the others go by it", () => {
    fs.symlinkSync(layout.settings, layout.settings);
    expect(() => readSettingsFile(layout, "private")).to.throw("ELOOP");
  });
});
