import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import pino from "pino";
import { Layout } from "../../src/project/layout.js";
import { defaultSettings } from "../../src/project/settings.js";
import { LocalStore } from "../../src/spool/local-store.js";
import { Worker } from "../../src/worker/worker.js";

describe("a worker that comes on duty", () => {
  let layout = new Layout("/nowhere");
  beforeEach(() => {
    layout = new Layout(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")));
    for (const dir of layout.directories()) fs.mkdirSync(dir, { recursive: true });
  });
  afterEach(() => fs.rmSync(layout.root, { recursive: true }));

  async function onDuty(takeAway: (desk: string) => void): Promise<string> {
    const store = new (class extends LocalStore {
      override async mkdir(...args: Parameters<LocalStore["mkdir"]>): Promise<void> {
        await super.mkdir(...args);
        if (args[0] === layout.desk("w")) takeAway(args[0]);
      }
    })();
    const settings = defaultSettings("local");
    const log = pino({ level: "silent" });
    return new Worker({ store, layout, settings, log, id: "w", directory: layout.root }).onDuty();
  }

  it("and is declared lost meanwhile, as it was stopped for so long, leaves for another id to come", async () => {
    expect(await onDuty((desk) => fs.renameSync(desk, layout.fencedDesk("w")))).to.equal("fenced");
    expect(fs.readdirSync(layout.workerqueue)).to.deep.equal([]);
    expect(fs.readFileSync(layout.ledgerOf("w"), "utf8")).to.include('"event":"left"');
  });

  it("in a project that is taken away says so", async () => {
    const end = onDuty(() => fs.renameSync(layout.jobpod, `${layout.jobpod}.away`));
    expect(await end.catch((error: NodeJS.ErrnoException) => error.code)).to.equal("ENOENT");
  });
});
