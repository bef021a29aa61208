import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Layout } from "../../src/project/layout.js";
import { defaultSettings, type Settings } from "../../src/project/settings.js";
import { openStore } from "../../src/store/open-store.js";
import type { Site } from "../../src/store/site.js";
import type { Store } from "../../src/store/store.js";

/** A private project with the default settings, for code that is tested without one of the commands. */
export function siteOf(store: Store, layout: Layout, settings: Settings = defaultSettings(store.kind)): Site {
  return { store, layout, settings, access: "private" };
}

/** Gives each test of the enclosing `describe` the directories of a project, on the local store and without processes. */
export function sitePerTest(): () => Site {
  let site: Site | undefined;
  beforeEach(() => {
    const layout = new Layout(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
    for (const dir of layout.directories()) fs.mkdirSync(dir, { recursive: true });
    site = siteOf(openStore(layout.root, "local"), layout);
  });
  afterEach(() => {
    if (site !== undefined) fs.rmSync(site.layout.root, { recursive: true, force: true });
    site = undefined;
  });
  return () => {
    if (site === undefined) throw new Error("there is a site in tests and hooks only");
    return site;
  };
}
