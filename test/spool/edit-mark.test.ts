import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { editJob } from "../../src/jobs/edit.js";
import type { JobPlace } from "../../src/jobs/places.js";
import { release } from "../../src/jobs/release.js";
import { Project } from "../../src/library/project.js";
import type { Layout } from "../../src/project/layout.js";
import { type EditMark, newEditMark, recoverEdits, writeEditMark } from "../../src/spool/edit-mark.js";
import { identify } from "../../src/spool/identity.js";
import { stampOf } from "../../src/store/stamp.js";
import type { Store } from "../../src/store/store.js";
import { sitePerTest } from "../rig/site.js";

const FILE = "a b.ini";

describe("an edit that was interrupted", () => {
  const site = sitePerTest();
  let layout: Layout;
  let store: Store;

  beforeEach(() => {
    ({ layout, store } = site());
  });

  /** Makes a job that is held for an edit by a process that is dead. */
  async function interrupted(more: Partial<EditMark> = {}): Promise<void> {
    fs.writeFileSync(layout.held(FILE), "old");
    const stamp = stampOf(await store.facts(layout.held(FILE)));
    const mark = newEditMark(store, { file: FILE, to: "jobqueue", stamp, copy: "" });
    const process = { ...mark.process, start: "0" };
    await writeEditMark(site(), { ...mark, process, ...more });
  }

  const recover = async () => recoverEdits(site(), fs.readdirSync(layout.jobpod));
  const where = () =>
    [
      ...fs.readdirSync(layout.jobqueue).map((name) => `queue ${name}`),
      ...fs.readdirSync(layout.jobheld).map((name) => `held ${name}`),
      ...fs.readdirSync(layout.jobpod).filter((name) => name !== "retry"),
    ].sort();

  it("ends, and its job goes back to the queue", async () => {
    await interrupted();
    expect(await recover()).to.deep.equal([FILE]);
    expect(where()).to.deep.equal([`queue ${FILE}`]);
  });

  it("belongs to one editor alone, even when two begin at once", async () => {
    const mark = newEditMark(store, { file: FILE, to: "jobqueue", stamp: "", copy: "" });
    const other = { ...mark, since: "later" };
    expect(await Promise.all([mark, other].map((one) => writeEditMark(site(), one)))).to.have.members([
      true,
      false,
    ]);
    expect(await writeEditMark(site(), other, mark)).to.equal(true);
  });

  it("keeps its mark when a release finds nothing to release", async () => {
    await interrupted();
    const place: JobPlace = {
      kind: "job",
      job: "a b",
      file: FILE,
      state: "waiting",
      path: layout.queued(FILE),
    };
    expect((await release(site(), [place], false)).map(({ end }) => end)).to.deep.equal(["name-taken"]);
    expect(await recover()).to.deep.equal([FILE]);
  });

  it("ends when the new file was already in its place", async () => {
    await interrupted();
    const { mtime } = fs.statSync(layout.held(FILE));
    fs.writeFileSync(path.join(layout.root, "new"), "new");
    fs.utimesSync(path.join(layout.root, "new"), mtime, mtime);
    fs.renameSync(path.join(layout.root, "new"), layout.held(FILE));
    await recover();
    expect(fs.readFileSync(layout.queued(FILE), "utf8")).to.equal("new");
  });

  it("ends, and a job that was held before the edit stays held", async () => {
    await interrupted({ to: "jobheld" });
    expect(await recover()).to.deep.equal([]);
    expect(where()).to.deep.equal([`held ${FILE}`]);
  });

  it("leaves another job with the same name held", async () => {
    await interrupted();
    fs.writeFileSync(path.join(layout.root, "other"), "other");
    fs.utimesSync(path.join(layout.root, "other"), 1e9, 1e9);
    fs.renameSync(path.join(layout.root, "other"), layout.held(FILE));
    expect(await recover()).to.deep.equal([]);
    expect(where()).to.deep.equal([`held ${FILE}`]);
  });

  it("waits until the name is free in the queue", async () => {
    await interrupted();
    fs.writeFileSync(layout.queued(FILE), "newer");
    expect(await recover()).to.deep.equal([]);
    fs.unlinkSync(layout.queued(FILE));
    expect(await recover()).to.deep.equal([FILE]);
    expect(where()).to.deep.equal([`queue ${FILE}`]);
  });

  it("waits while the job lies on the desk of a worker, which may have a request to hold it", async () => {
    await interrupted();
    fs.mkdirSync(layout.desk("w"));
    fs.renameSync(layout.held(FILE), layout.onDesk("w", FILE));
    await recover();
    expect(where()).to.deep.equal([`.${FILE}.edit`, "w"]);
    fs.renameSync(layout.onDesk("w", FILE), layout.held(FILE));
    expect(await recover()).to.deep.equal([FILE]);
  });

  for (const [what, holder] of [
    ["a live process", () => identify()],
    ["a process of another host", () => ({ ...identify(), space: "another" })],
  ] as const) {
    it(`is not recovered while ${what} may still edit the job`, async () => {
      await interrupted({ process: holder() });
      expect(await recover()).to.deep.equal([]);
      expect(where()).to.deep.equal([`.${FILE}.edit`, `held ${FILE}`]);
    });
  }

  for (const from of ["jobqueue", "jobheld"] as const) {
    it(`leaves one complete job when it is killed at any call, in ${from}`, async () => {
      const [old, changed] = ["[control]\nexecutable = old\n", "[control]\nexecutable = new\n"];
      const home = from === "jobqueue" ? layout.queued("j.ini") : layout.held("j.ini");
      fs.writeFileSync(layout.settings, "[fjord]\nstore = local\n");
      const project = await Project.open(layout.root);
      let isDead = true;
      for (let last = 0; isDead; last++) {
        fs.writeFileSync(home, old);
        const [place] = await project.jobs(["j"]);
        if (place === undefined) throw new Error("the job is not there");
        isDead = await editUntil(last, project, place, changed);
        const before = fs.existsSync(layout.edit("j.ini"))
          ? fs.readFileSync(layout.edit("j.ini"), "utf8")
          : "";
        if (before !== "") fs.writeFileSync(layout.edit("j.ini"), before.replace(/^start.*$/m, "start = 0"));
        await recoverEdits(site(), fs.readdirSync(layout.jobpod));
        const what = `killed before call ${last + 1}`;
        const left = where().filter((entry) => !entry.endsWith(".tmp"));
        expect(left, what).to.deep.equal([from === "jobqueue" ? "queue j.ini" : "held j.ini"]);
        const text = fs.readFileSync(home, "utf8");
        expect(isDead ? [old, changed] : [changed], what).to.include(text);
      }
    });
  }

  /** Edits a job, and hangs for ever after `last` calls of the store. @returns whether the edit reached that call */
  function editUntil(last: number, project: Project, place: JobPlace, text: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let calls = 0;
      const die = () => {
        resolve(true);
        return new Promise(() => undefined);
      };
      const dying = new Proxy(project.store, {
        get: (target, name: keyof Store) => {
          const own = target[name];
          if (typeof own !== "function") return own;
          return (...args: unknown[]) =>
            calls++ >= last ? die() : (own as (...args: unknown[]) => unknown).apply(target, args);
        },
      });
      const broken = Object.create(project, { store: { value: dying } }) as Project;
      editJob(broken, place, async () => Buffer.from(text)).then(() => resolve(false), reject);
    });
  }

  it("is not found in a foreign file, link or directory with the name of a mark", async () => {
    fs.writeFileSync(layout.edit(FILE), "nonsense");
    fs.symlinkSync("/etc/passwd", layout.edit("b.ini"));
    fs.mkdirSync(layout.edit("c.ini"));
    expect(await recover()).to.deep.equal([]);
  });
});
