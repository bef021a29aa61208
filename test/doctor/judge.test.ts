import { expect } from "chai";
import { judgeClocks } from "../../src/doctor/clocks.js";
import { type Delays, judgeDelays } from "../../src/doctor/delays.js";
import { judgeEvents } from "../../src/doctor/events.js";
import { type FileSystem, judgeFileSystem, type Mount, mountOf } from "../../src/doctor/file-system.js";
import type { Judgement } from "../../src/doctor/finding.js";
import { judgeFreeSpace } from "../../src/doctor/free-space.js";
import { judgeGreetings } from "../../src/doctor/greetings.js";
import { judgeLinks } from "../../src/doctor/links.js";
import { judgeLock, overlaps } from "../../src/doctor/locks.js";
import type { Greeting, RaceResult } from "../../src/doctor/peer-process.js";
import { judgePermissions } from "../../src/doctor/permissions.js";
import { judgeCreateRace, judgeRenameRace } from "../../src/doctor/races.js";
import { judgeReplacing } from "../../src/doctor/replacing.js";

const run = (...won: number[]): RaceResult => ({ won, errors: [] });
const LOCAL = { beat: 2, lostAfter: 5, poll: 1 };
const NETWORK = { beat: 15, lostAfter: 20, poll: 3 };

function expectTold(judgement: Judgement, verdict: Judgement["verdict"], found: string | RegExp): void {
  expect(judgement.verdict, judgement.found).to.equal(verdict);
  if (typeof found === "string") expect(judgement.found).to.contain(found);
  else expect(judgement.found).to.match(found);
  expect(judgement.means).not.to.equal("");
}

describe("the doctor judges a race to create", () => {
  it("as ok when each name went to one process", () => {
    expectTold(judgeCreateRace({ count: 4, ours: run(0, 3), theirs: run(1, 2) }), "ok", "(2 : 2)");
  });
  it("as bad when both processes got a name", () => {
    expectTold(judgeCreateRace({ count: 3, ours: run(0, 1), theirs: run(1, 2) }), "bad", "1 of 3 names");
  });
  it("as a warning when neither process got a name", () => {
    expectTold(judgeCreateRace({ count: 3, ours: run(0), theirs: run(2) }), "warning", "1 of 3 names");
  });
  it("as a warning when only one process won names", () => {
    expectTold(
      judgeCreateRace({ count: 2, ours: run(0, 1), theirs: run() }),
      "warning",
      "never ran at the same",
    );
  });
  it("as bad when a create failed with an error", () => {
    const theirs = { won: [], errors: ["EIO"] };
    expectTold(judgeCreateRace({ count: 1, ours: run(0), theirs }), "bad", "EIO");
  });
});

describe("the doctor judges a race to rename", () => {
  const race = (ours: number[], theirs: number[], arrived = { ours, theirs }) =>
    judgeRenameRace({ count: 4, ours: run(...ours), theirs: run(...theirs), arrived });
  it("as ok when each file went to one process", () => {
    expectTold(race([0, 1], [2, 3]), "ok", "(2 : 2)");
  });
  it("as bad when a file went to both processes", () => {
    expectTold(race([0, 1, 2], [2, 3]), "bad", "1 of 4 files went to both");
  });
  it("as bad when a file is lost", () => {
    expectTold(race([0], [2, 3]), "bad", "1 of 4 files were lost");
  });
  it("as a warning when the winner got an error", () => {
    expectTold(race([0], [2, 3], { ours: [0, 1], theirs: [2, 3] }), "warning", "1 replies were wrong");
  });
  it("as a warning when both processes got a success and only one had won", () => {
    expectTold(race([0, 1, 2], [2, 3], { ours: [0, 1], theirs: [2, 3] }), "warning", "1 replies were wrong");
  });
});

describe("the doctor judges replacing by rename", () => {
  const seen = { times: 9, reads: 30, missing: 0, torn: 0, stale: 0 };
  it("as ok when every read is complete", () => expectTold(judgeReplacing(seen), "ok", "always complete"));
  it("as ok when some handles were stale, as on NFS", () =>
    expectTold(judgeReplacing({ ...seen, stale: 2 }), "ok", "2 reads had a stale"));
  it("as a warning when the file was missing for a moment, as on sshfs", () =>
    expectTold(judgeReplacing({ ...seen, missing: 1 }), "warning", "missing 1 times"));
  it("as bad when a read was torn", () =>
    expectTold(judgeReplacing({ ...seen, torn: 3 }), "bad", "incomplete 3 times"));
});

describe("the doctor judges hard links", () => {
  it("as ok when a link is a second name and is exclusive", () =>
    expectTold(judgeLinks({ refused: undefined, names: 2, isExclusive: true }), "ok", "second name"));
  it("as a warning when the store has none", () =>
    expectTold(judgeLinks({ refused: "EPERM", names: 1, isExclusive: true }), "warning", "EPERM"));
  it("as a warning when the links are copies", () =>
    expectTold(
      judgeLinks({ refused: undefined, names: 1, isExclusive: true }),
      "warning",
      "link count of 1",
    ));
  it("as bad when a link replaces an existing name", () =>
    expectTold(judgeLinks({ refused: undefined, names: 2, isExclusive: false }), "bad", "did not refuse"));
});

describe("the doctor judges locks", () => {
  const EXACT = { offset: 0, error: 0.1 };
  const holds = (...times: [number, number][]) => times.map(([from, to]) => ({ from, to }));
  const held = (theirs: [number, number][], skew = EXACT, times = 2) =>
    judgeLock({ kind: "job", times, ours: holds([0, 3], [10, 13]), theirs: holds(...theirs), skew });
  it("as ok when one process held the lock after the other", () => {
    expectTold(
      held([
        [4, 9],
        [13, 14],
      ]),
      "ok",
      "never both at once",
    );
  });
  it("as bad when both processes held the lock at once", () => {
    expectTold(
      held([
        [2, 5],
        [11, 12],
      ]),
      "bad",
      "at once 2 times, for up to 1.0 ms",
    );
  });
  it("with the times of both clocks", () => {
    expectTold(
      held(
        [
          [1004, 1009],
          [1013, 1014],
        ],
        { offset: 1000, error: 0.1 },
      ),
      "ok",
      "never",
    );
    expectTold(
      held(
        [
          [1002, 1009],
          [1013, 1014],
        ],
        { offset: 1000, error: 0.1 },
      ),
      "bad",
      "1 times",
    );
  });
  it("with no overlap within the error of the clocks", () => {
    const theirs = holds([2.5, 9]);
    expect(overlaps({ ours: holds([0, 3]), theirs, skew: { offset: 0, error: 0.6 } }).count).to.equal(0);
    expect(overlaps({ ours: holds([0, 3]), theirs, skew: EXACT })).to.deep.equal({ count: 1, longest: 0.5 });
  });
  it("as a warning when one process got the lock too rarely", () => {
    expectTold(held([[4, 9]]), "warning", "only 2 and 1 of 2");
  });
});

describe("the doctor judges caches", () => {
  const AT_ONCE: Delays = { listed: 0, opened: 0, replaced: 0, rewritten: 0, removed: 0 };
  const judge = (delays: Partial<Delays>, kind: "local" | "network" = "local") =>
    judgeDelays({ ...AT_ONCE, ...delays }, kind, kind === "local" ? LOCAL : NETWORK);
  it("as ok when every change is seen at once, or before fjord's next scan", () => {
    expectTold(judge({}), "ok", "at once");
    expectTold(judge({ listed: 2_900 }, "network"), "ok", "a new file in a listing after 2.9 s");
  });
  it("as a warning when a change is seen later than that", () => {
    expectTold(judge({ removed: 1_500 }), "warning", "a removed file in a listing after 1.5 s");
    expectTold(judge({ replaced: 60_000 }, "network"), "warning", "replaced content after 60.0 s");
  });
  it("as bad when heartbeats are seen too late for the lease", () => {
    expectTold(judge({ rewritten: 6_000 }), "bad", "rewritten content after 6.0 s");
    expectTold(judge({ rewritten: 160_000 }, "network"), "warning", "rewritten content");
    expectTold(judge({ replaced: 160_000 }, "network"), "bad", "replaced content");
  });
  it("as bad when a change is never seen", () => {
    expectTold(judge({ opened: null }, "network"), "bad", "not seen within 75.0 s: a new file when opened");
  });
});

describe("the doctor judges events", () => {
  it("as ok when events arrive", () =>
    expectTold(judgeEvents({ kind: "local", heard: 1.26, twoHosts: false }, 1), "ok", "1.3 ms"));
  it("as a warning when no event arrives", () =>
    expectTold(judgeEvents({ kind: "local", heard: null, twoHosts: true }, 1), "warning", "the other host"));
  it("as ok on a network file system, where fjord uses no events", () =>
    expectTold(
      judgeEvents({ kind: "network", heard: null, twoHosts: true }, 3),
      "ok",
      "does not use events",
    ));
});

describe("the doctor judges clocks", () => {
  const other = { offset: 0.2, error: 0.1 };
  it("as ok when they agree, exactly or nearly", () => {
    expectTold(judgeClocks({ store: 4, other }), "ok", "agree");
    expectTold(
      judgeClocks({ store: -5_000, other }),
      "ok",
      "the store's clock is 5.0 s behind this process's clock",
    );
  });
  it("as a warning when a new lock could look old", () => {
    expectTold(
      judgeClocks({ store: 0, other: { offset: 90_000, error: 1 } }),
      "warning",
      "90.0 s ahead of this process's clock",
    );
  });
});

describe("the doctor judges space", () => {
  it("as ok when there is enough", () =>
    expectTold(
      judgeFreeSpace({ bytes: 5e9, inodes: undefined }),
      "ok",
      "5.0 GB are free, and inodes are not",
    ));
  it("as a warning when bytes or inodes are scarce", () => {
    expectTold(judgeFreeSpace({ bytes: 5e8, inodes: 1e6 }), "warning", "500 MB");
    expectTold(judgeFreeSpace({ bytes: 5e9, inodes: 9_000 }), "warning", "9,000 inodes");
  });
  it("as bad when bytes or inodes are used up", () => {
    expectTold(judgeFreeSpace({ bytes: 0, inodes: 1e6 }), "bad", "0 B");
    expectTold(judgeFreeSpace({ bytes: 5e9, inodes: 0 }), "bad", "0 inodes");
  });
});

describe("the doctor judges permissions", () => {
  const all = { isOwn: true, keepsMode: true, refused: undefined };
  it("as ok when files can be executed", () => expectTold(judgePermissions(all), "ok", "executed"));
  it("as a warning when no file can be executed", () =>
    expectTold(judgePermissions({ ...all, refused: "EACCES" }), "warning", "noexec"));
  it("as a warning when the store keeps no x bits", () =>
    expectTold(
      judgePermissions({ ...all, keepsMode: false, refused: "EACCES" }),
      "warning",
      "made executable",
    ));
  it("as a warning when new files belong to another user", () =>
    expectTold(judgePermissions({ ...all, isOwn: false }), "warning", "another user"));

  const others = {
    isProject: true,
    isShared: false,
    group: "lab",
    everybodyWrites: [],
    openAbove: [],
    groupWrites: [],
    everybodyReads: [],
    foreign: [],
  };
  for (const [what, differs, verdict, found] of [
    ["a project that is closed to others", {}, "ok", "no other user has access"],
    ["a shared project", { isShared: true, groupWrites: ["."] }, "ok", "shared by the group lab"],
    [
      "a project that everybody can read",
      { everybodyReads: [".", "jobqueue"] },
      "warning",
      "everybody can read",
    ],
    [
      "a project of which everybody can read only the directory",
      { everybodyReads: ["."] },
      "ok",
      "no other user has access",
    ],
    [
      "a project that a group can write",
      { groupWrites: ["jobqueue"] },
      "warning",
      "lab can write here (jobqueue)",
    ],
    ["a project with a foreign file in it", { foreign: ["settings.ini"] }, "warning", "(settings.ini)"],
    [
      "a project that everybody can write",
      { isShared: true, everybodyWrites: ["jobpod"] },
      "bad",
      "(jobpod)",
    ],
    ["a project that everybody can rename", { openAbove: ["/data"] }, "bad", "(in /data)"],
    [
      "a directory that everybody can rename",
      { isProject: false, openAbove: ["/data"] },
      "warning",
      "(in /data)",
    ],
    [
      "a directory that everybody can write",
      { isProject: false, everybodyWrites: ["."] },
      "warning",
      "can write",
    ],
    [
      "a directory that everybody can read",
      { isProject: false, everybodyReads: ["."] },
      "ok",
      "executed here",
    ],
  ] as const) {
    it(`as ${verdict} for ${what}`, () => {
      expectTold(judgePermissions({ ...all, others: { ...others, ...differs } }), verdict, found);
    });
  }
  it("without the modes when the store keeps none", () => {
    const judged = judgePermissions({
      ...all,
      keepsMode: false,
      others: { ...others, everybodyWrites: ["."] },
    });
    expectTold(judged, "warning", /^(?!.*everybody)/);
  });
});

describe("the doctor judges the file system", () => {
  const mount = (type: string, ...options: string[]): Mount => ({ point: "/q", type, source: "s", options });
  const judge = (system: Partial<FileSystem>) =>
    judgeFileSystem({
      mount: mount("ext4"),
      kind: "local",
      there: "local",
      said: "auto",
      twoHosts: false,
      ...system,
    });
  const network = { kind: "network", there: "network" } as const;
  it("as ok when fjord can rely on it", () => {
    expectTold(judge({}), "ok", "ext4 (s on /q), counts as local");
    expectTold(judge({ mount: mount("nfs4", "hard"), ...network, twoHosts: true }), "ok", "nfs4");
    expectTold(judge({ mount: undefined }), "ok", "does not report");
  });
  it("as bad when two hosts work on a store that counts as local", () => {
    expectTold(judge({ twoHosts: true }), "bad", "counts as local");
    expectTold(
      judge({ ...network, there: "local", twoHosts: true, said: "network" }),
      "bad",
      "as settings.ini says",
    );
  });
  it("as bad when renames are copies", () => {
    expectTold(judge({ mount: mount("fuse.s3fs"), ...network }), "bad", "s3fs");
  });
  it("as a warning when its files do not survive a power failure, or when calls fail while the server stalls", () => {
    expectTold(judge({ mount: mount("tmpfs") }), "warning", "tmpfs");
    expectTold(judge({ mount: mount("nfs", "rw", "soft"), ...network }), "warning", "nfs");
  });
});

describe("mountOf", () => {
  const MOUNTS = [
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard",
    "30 22 0:26 / /home rw - nfs4 server:/home rw,soft,timeo=600",
    "31 30 0:27 / /home/ann\\040b rw,noexec - tmpfs tmpfs rw,size=1m",
    "32 22 0:28 / /home rw master:2 propagate_from:3 - cifs //server/home rw",
    "",
  ].join("\n");
  it("returns the longest mount point, and the last of several equal ones", () => {
    expect(mountOf("/etc/x", MOUNTS)?.type).to.equal("ext4");
    expect(mountOf("/home", MOUNTS)).to.include({ type: "cifs", source: "//server/home" });
    expect(mountOf("/homework", MOUNTS)?.type).to.equal("ext4");
    expect(mountOf("/home/ann b/q", MOUNTS)).to.deep.include({
      point: "/home/ann b",
      options: ["rw", "noexec", "rw", "size=1m"],
    });
  });
  it("returns undefined when the system reports no mounts", () =>
    expect(mountOf("/x", "")).to.equal(undefined));
});

describe("the doctor judges the other host", () => {
  const here: Greeting = { version: "1", host: "a", space: "s", sees: true, kind: "local" };
  it("without a finding when only its name differs", () =>
    expect(judgeGreetings(here, { ...here, host: "b" })).to.equal(undefined));
  it("as bad, and stops, when it does not see the directory", () =>
    expect(judgeGreetings(here, { ...here, sees: false })).to.include({ verdict: "bad", stop: true }));
  it("as a warning when it runs another version", () =>
    expect(judgeGreetings(here, { ...here, version: "2" })).to.include({ verdict: "warning", stop: false }));
});
