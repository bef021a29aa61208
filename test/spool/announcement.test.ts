import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import type { Layout } from "../../src/project/layout.js";
import {
  type Announcement,
  announce,
  readAnnouncement,
  withdrawAnnouncement,
} from "../../src/spool/announcement.js";
import { openStore } from "../../src/store/open-store.js";
import type { Store } from "../../src/store/store.js";
import { sitePerTest } from "../rig/site.js";
import { until } from "../rig/until.js";
import { skip } from "../rig/with-project.js";

const FIRST: Announcement = {
  worker: "w",
  host: "here",
  process: { pid: 1, start: "1", space: "s" },
  state: "idle",
  beat: 1,
  slots: 1,
  pace: 0,
  spread: 0,
  group: "",
  directory: "/work",
  since: "",
  log: "/log",
};
const JOB = { name: "a", attempt: 1, started: "2026-01-01T00:00:00.000Z" };
/** A directory so long that, together with a job, the announcement needs a second block. */
const LONG_DIRECTORY = `/${"d".repeat(700)}`;
const LONG_JOB = { ...JOB, name: "j".repeat(200) };

function errno(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe("an announcement", () => {
  const site = sitePerTest();
  let dir = "";
  let layout: Layout;
  let local: Store;

  beforeEach(() => {
    ({ layout, store: local } = site());
    dir = layout.root;
  });

  /** The store, with some of its calls replaced. */
  function but(calls: Partial<Store>, store = local): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const value = Reflect.get(calls, name) ?? Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  async function beats(from: number, to: number, said: Partial<Announcement> = {}, store = local) {
    for (let beat = from; beat <= to; beat++)
      await announce({ ...site(), store }, { ...FIRST, ...said, beat });
  }

  const read = (store = local) => readAnnouncement({ ...site(), store }, "w");
  const inode = () => fs.statSync(layout.announcement("w")).ino;
  const names = () => [...fs.readdirSync(layout.workerqueue), ...fs.readdirSync(layout.jobpod)].sort();

  /** Expects the beat and the second name. With both, the next beat is written in place. */
  async function isWhole(beat: number): Promise<void> {
    expect((await read())?.beat).to.equal(beat);
    expect(names()).to.deep.equal([".w.pulse", "retry", "w.ini"]);
    expect(fs.statSync(layout.pulse("w")).ino).to.equal(inode());
  }

  it("reads back as it was made", async () => {
    const said = { state: "leaving", pace: 0.5, spread: 0.25, group: "7:8", job: JOB } as const;
    await beats(1, 3, said);
    expect(await read()).to.deep.equal({ ...FIRST, ...said, beat: 3 });
  });

  it("is written in place on a local file system, from the second beat on", async () => {
    await beats(1, 2);
    const before = inode();
    await isWhole(2);
    await beats(3, 5, { state: "busy", job: JOB });
    await isWhole(5);
    expect(inode()).to.equal(before);
  });

  it("is replaced at each beat on a network file system, and has no second name", async () => {
    const network = openStore(dir, "network");
    await beats(1, 2, {}, network);
    const before = inode();
    await beats(3, 3, {}, network);
    expect(inode()).not.to.equal(before);
    expect((await read(network))?.beat).to.equal(3);
    expect(names()).to.deep.equal(["retry", "w.ini"]);
  });

  it("causes a watch event only when the caller asks for one", async function () {
    if (process.platform !== "linux")
      skip(this, "events tell an entry's name, one after the other, on Linux");
    await beats(1, 2);
    const heard: (string | null)[] = [];
    const watcher = fs.watch(layout.workerqueue, (_event, entry) => heard.push(entry));
    try {
      const mark = path.join(layout.workerqueue, "mark");
      for (let beat = 3; beat < 10; beat++) await announce(site(), { ...FIRST, beat }, false);
      fs.writeFileSync(mark, "");
      await until("the mark is heard", () => heard.includes("mark"));
      expect(heard).not.to.include("w.ini");
      await announce(site(), { ...FIRST, beat: 10 }, true);
      await until("the announcement is heard", () => heard.includes("w.ini"));
    } finally {
      watcher.close();
    }
  });

  it("is replaced when its block is too small, and is then written in place again", async () => {
    const said = { directory: LONG_DIRECTORY };
    await beats(1, 2, said);
    const short = fs.statSync(layout.announcement("w")).size;
    for (const job of [LONG_JOB, undefined]) {
      const from = job ? 3 : 6;
      await beats(from, from, { ...said, ...(job && { job }) });
      await isWhole(from);
      const { ino, size } = fs.statSync(layout.announcement("w"));
      expect(size).to.equal(job ? 2 * short : short);
      await beats(from + 1, from + 2, { ...said, ...(job && { job }) });
      await isWhole(from + 2);
      expect(inode()).to.equal(ino);
      expect((await read())?.job).to.deep.equal(job);
    }
  });

  const interferences: Readonly<Record<string, () => void>> = {
    "is removed": () => fs.rmSync(layout.announcement("w")),
    "is replaced by a copy": () => {
      fs.copyFileSync(layout.announcement("w"), path.join(dir, "copy"));
      fs.renameSync(path.join(dir, "copy"), layout.announcement("w"));
    },
    "is cut to nothing": () => fs.truncateSync(layout.announcement("w")),
    "loses its second name": () => fs.rmSync(layout.pulse("w")),
    "has another file for its second name": () => {
      fs.copyFileSync(layout.announcement("w"), path.join(dir, "copy"));
      fs.renameSync(path.join(dir, "copy"), layout.pulse("w"));
    },
    "has a file in the way of the next one": () =>
      fs.writeFileSync(layout.announcementTemporary("w"), "[wor"),
  };
  for (const [what, interfere] of Object.entries(interferences)) {
    it(`that ${what} is whole again at the next beat`, async () => {
      await beats(1, 4);
      interfere();
      await beats(5, 5);
      expect((await read())?.beat).to.equal(5);
      if (!fs.existsSync(layout.announcementTemporary("w"))) await isWhole(5);
      // A longer announcement does not fit the block, so a rename must replace it.
      await beats(6, 6, { directory: LONG_DIRECTORY, job: LONG_JOB });
      await isWhole(6);
    });
  }

  it("is replaced at each beat on a store without hard links", async () => {
    const store = but({ link: () => Promise.reject(errno("EPERM")) });
    await beats(1, 2, {}, store);
    const before = inode();
    await beats(3, 3, {}, store);
    expect((await read())?.beat).to.equal(3);
    expect(inode()).not.to.equal(before);
    expect(names()).to.deep.equal(["retry", "w.ini"]);
  });

  describe("on a full disk", () => {
    const full = () => but({ create: () => Promise.reject(errno("ENOSPC")) });

    it("is still written in place, with and without a second name", async () => {
      await beats(1, 2);
      await beats(3, 3, { state: "stalled" }, full());
      expect(await read()).to.include({ beat: 3, state: "stalled" });
      fs.rmSync(layout.pulse("w"));
      await beats(4, 4, {}, full());
      await isWhole(4);
    });

    it("leaves out fields that do not fit, and still shows the new beat", async () => {
      const said = { directory: LONG_DIRECTORY };
      await beats(1, 2, said);
      const { size } = fs.statSync(layout.announcement("w"));
      for (const beat of [3, 4]) {
        await beats(beat, beat, { ...said, state: "stalled", job: LONG_JOB }, full());
        expect(await read()).to.include({ beat, state: "stalled", host: "here" });
        expect(fs.statSync(layout.announcement("w")).size).to.equal(size);
      }
      await beats(5, 5, { ...said, job: LONG_JOB });
      expect(await read()).to.deep.include({ beat: 5, job: LONG_JOB, directory: LONG_DIRECTORY });
    });
  });

  describe("during an overwrite", () => {
    /** Every mixture of two announcements: the first bytes of the new one, then the rest of the old one. */
    async function mixtures(before: Announcement, after: Announcement): Promise<Buffer[]> {
      const bytesOf = async (one: Announcement) => {
        await announce(site(), one);
        return fs.readFileSync(layout.announcement("w"));
      };
      await beats(1, 2);
      const old = await bytesOf(before);
      const ino = inode();
      const young = await bytesOf(after);
      expect(inode(), "in place").to.equal(ino);
      return Array.from({ length: old.length + 1 }, (_, length) =>
        Buffer.concat([young.subarray(0, length), old.subarray(length)]),
      );
    }

    const changes: Readonly<Record<string, [Announcement, Announcement]>> = {
      "one beat higher": [
        { ...FIRST, beat: 8 },
        { ...FIRST, beat: 9 },
      ],
      "a digit longer": [
        { ...FIRST, beat: 99 },
        { ...FIRST, beat: 100 },
      ],
      "with a job": [
        { ...FIRST, beat: 10 },
        { ...FIRST, beat: 11, state: "busy", job: JOB },
      ],
      "without its job": [
        { ...FIRST, beat: 10, state: "busy", job: JOB },
        { ...FIRST, beat: 11 },
      ],
      "with a job of a shorter name": [
        { ...FIRST, beat: 10, job: { ...JOB, name: "[end]".repeat(9) } },
        { ...FIRST, beat: 11, job: JOB },
      ],
    };
    for (const [what, [before, after]] of Object.entries(changes)) {
      it(`${what}, reads as the old one, the new one or none at every byte`, async () => {
        const seen = new Set<number | undefined>();
        for (const bytes of await mixtures(before, after)) {
          fs.writeFileSync(layout.announcement("w"), bytes);
          const met = await read();
          seen.add(met?.beat);
          if (met !== undefined) expect(met).to.deep.equal(met.beat === before.beat ? before : after);
        }
        expect([...seen]).to.have.members([before.beat, undefined, after.beat]);
      });
    }

    it("is read again when a reader finds a torn text, even one that is not an ini file", async () => {
      const all = await mixtures({ ...FIRST, beat: 10, state: "busy", job: JOB }, { ...FIRST, beat: 11 });
      const whole = all.at(-1) as Buffer;
      for (const torn of all) {
        let looks = 0;
        const amid = async () => ({ bytes: ++looks < 3 ? torn : whole, facts: await local.facts(dir) });
        const met = await read(but({ read: amid }));
        expect(met?.beat, torn.toString()).to.be.oneOf([10, 11]);
      }
    });

    it("counts as missing when it is still torn after a few reads", async () => {
      const torn = Buffer.from("[worker]\nid = w\nbeat = 2\n\n[end]\nbeat = 1\n");
      let looks = 0;
      const amid = async () => ({
        bytes: ++looks < 100 ? torn : Buffer.alloc(0),
        facts: await local.facts(dir),
      });
      expect(await read(but({ read: amid }))).to.equal(undefined);
      expect(looks).to.be.within(2, 10);
    });
  });

  describe("after a withdrawal", () => {
    it("leaves no file, even if its worker was killed at any call of a beat", async () => {
      for (const call of ["create", "rename", "unlink", "link"] as const) {
        await beats(1, 2);
        fs.rmSync(layout.pulse("w")); // the next beat then makes all of these calls
        if (call === "unlink") fs.writeFileSync(layout.pulse("w"), "an older one");
        const killed = () => new Promise<never>((_, reject) => reject(new Error("killed")));
        const beat = beats(3, 3, {}, but({ [call]: killed }));
        expect(await beat.then(String, String), call).to.contain("killed");
        await withdrawAnnouncement(site(), "w");
        expect(names(), call).to.deep.equal(["retry"]);
      }
    });

    it("can be withdrawn again when a zombie has brought it back", async () => {
      await beats(1, 3);
      await withdrawAnnouncement(site(), "w");
      await beats(4, 5);
      await isWhole(5);
      await withdrawAnnouncement(site(), "w");
      expect(names()).to.deep.equal(["retry"]);
    });

    it("is not brought back through its second name by a zombie's beat", async () => {
      await beats(1, 3);
      const amid = but({
        overwrite: async (file, text) => {
          await withdrawAnnouncement(site(), "w");
          await local.overwrite(file, text);
        },
      });
      expect(await beats(4, 4, {}, amid).then(String, String)).to.contain("ENOENT");
      expect(names()).to.deep.equal(["retry"]);
    });
  });
});
