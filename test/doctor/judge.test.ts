import { expect } from "chai";
import { judgeClocks } from "../../src/doctor/clocks.js";
import { type Delays, judgeDelays } from "../../src/doctor/delays.js";
import { judgeHearing } from "../../src/doctor/events.js";
import { type FileSystem, judgeFileSystem, type Mount, mountOf } from "../../src/doctor/file-system.js";
import type { Judgement } from "../../src/doctor/finding.js";
import { judgeLinking } from "../../src/doctor/links.js";
import { judgeHolding, overlaps } from "../../src/doctor/locks.js";
import type { Greeting, Run } from "../../src/doctor/party.js";
import { judgePermissions } from "../../src/doctor/permissions.js";
import { judgeCreateRace, judgeRenameRace } from "../../src/doctor/races.js";
import { judgeReplacing } from "../../src/doctor/replacing.js";
import { judgeRoom } from "../../src/doctor/room.js";
import { judgeGreetings } from "../../src/doctor/second.js";

const run = (...won: number[]): Run => ({ won, errors: [] });
const LOCAL = { beat: 2, lostAfter: 5, poll: 1 };
const NETWORK = { beat: 15, lostAfter: 20, poll: 3 };

function expectTold(judgement: Judgement, verdict: Judgement["verdict"], found: string | RegExp): void {
  expect(judgement.verdict, judgement.found).to.equal(verdict);
  if (typeof found === "string") expect(judgement.found).to.contain(found);
  else expect(judgement.found).to.match(found);
  expect(judgement.means).not.to.equal("");
}

describe("the doctor judges a race to create", () => {
  it("fair, when each name has one maker", () => {
    expectTold(judgeCreateRace({ count: 4, ours: run(0, 3), theirs: run(1, 2) }), "ok", "(2 : 2)");
  });
  it("bad, when both were given a name", () => {
    expectTold(judgeCreateRace({ count: 3, ours: run(0, 1), theirs: run(1, 2) }), "bad", "1 of 3 names");
  });
  it("doubtful, when nobody was told of a name", () => {
    expectTold(judgeCreateRace({ count: 3, ours: run(0), theirs: run(2) }), "warning", "1 were made");
  });
  it("unproved, when one was alone", () => {
    expectTold(judgeCreateRace({ count: 2, ours: run(0, 1), theirs: run() }), "warning", "never at the same");
  });
  it("bad, when it fails otherwise", () => {
    const theirs = { won: [], errors: ["EIO"] };
    expectTold(judgeCreateRace({ count: 1, ours: run(0), theirs }), "bad", "EIO");
  });
});

describe("the doctor judges a race to rename", () => {
  const race = (ours: number[], theirs: number[], arrived = { ours, theirs }) =>
    judgeRenameRace({ count: 4, ours: run(...ours), theirs: run(...theirs), arrived });
  it("fair, when each file went to one", () => {
    expectTold(race([0, 1], [2, 3]), "ok", "(2 : 2)");
  });
  it("bad, when a file went to both", () => {
    expectTold(race([0, 1, 2], [2, 3]), "bad", "1 of 4 files went to both");
  });
  it("bad, when a file is gone", () => {
    expectTold(race([0], [2, 3]), "bad", "1 of 4 files were lost");
  });
  it("doubtful, when the winner was told that it had lost", () => {
    expectTold(race([0], [2, 3], { ours: [0, 1], theirs: [2, 3] }), "warning", "1 answers were wrong");
  });
  it("doubtful, when both were told that they had won, and one had", () => {
    expectTold(race([0, 1, 2], [2, 3], { ours: [0, 1], theirs: [2, 3] }), "warning", "1 answers were wrong");
  });
});

describe("the doctor judges replacing by rename", () => {
  const seen = { times: 9, reads: 30, missing: 0, torn: 0, stale: 0 };
  it("ok", () => expectTold(judgeReplacing(seen), "ok", "always whole"));
  it("ok with stale handles, as on NFS", () =>
    expectTold(judgeReplacing({ ...seen, stale: 2 }), "ok", "2 stale"));
  it("a pity, when the file was missing, as on sshfs", () =>
    expectTold(judgeReplacing({ ...seen, missing: 1 }), "warning", "1 times it was missing"));
  it("bad, when it was torn", () => expectTold(judgeReplacing({ ...seen, torn: 3 }), "bad", "3 times torn"));
});

describe("the doctor judges hard links", () => {
  it("ok", () =>
    expectTold(judgeLinking({ refused: undefined, names: 2, isExclusive: true }), "ok", "second name"));
  it("a pity, when there are none", () =>
    expectTold(judgeLinking({ refused: "EPERM", names: 1, isExclusive: true }), "warning", "EPERM"));
  it("odd, when they are copies", () =>
    expectTold(
      judgeLinking({ refused: undefined, names: 1, isExclusive: true }),
      "warning",
      "said to have 1",
    ));
  it("bad, when a name is given twice", () =>
    expectTold(judgeLinking({ refused: undefined, names: 2, isExclusive: false }), "bad", "not refused"));
});

describe("the doctor judges locks", () => {
  const EXACT = { offset: 0, error: 0.1 };
  const holds = (...times: [number, number][]) => times.map(([from, to]) => ({ from, to }));
  const held = (theirs: [number, number][], skew = EXACT, times = 2) =>
    judgeHolding({ kind: "job", times, ours: holds([0, 3], [10, 13]), theirs: holds(...theirs), skew });
  it("ok, when one held it after the other", () => {
    expectTold(
      held([
        [4, 9],
        [13, 14],
      ]),
      "ok",
      "never both at once",
    );
  });
  it("bad, when both held it at once", () => {
    expectTold(
      held([
        [2, 5],
        [11, 12],
      ]),
      "bad",
      "at once 2 times, for up to 1.0 ms",
    );
  });
  it("by both clocks", () => {
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
  it("not by more than the clocks leave open", () => {
    const theirs = holds([2.5, 9]);
    expect(overlaps({ ours: holds([0, 3]), theirs, skew: { offset: 0, error: 0.6 } }).count).to.equal(0);
    expect(overlaps({ ours: holds([0, 3]), theirs, skew: EXACT })).to.deep.equal({ count: 1, longest: 0.5 });
  });
  it("slow, when one got it too rarely", () => {
    expectTold(held([[4, 9]]), "warning", "only 2 and 1 of 2");
  });
});

describe("the doctor judges caches", () => {
  const AT_ONCE: Delays = { listed: 0, opened: 0, replaced: 0, rewritten: 0, removed: 0 };
  const judge = (delays: Partial<Delays>, kind: "local" | "network" = "local") =>
    judgeDelays({ ...AT_ONCE, ...delays }, kind, kind === "local" ? LOCAL : NETWORK);
  it("ok, when all is seen at once, or as soon as fjord looks", () => {
    expectTold(judge({}), "ok", "at once");
    expectTold(judge({ listed: 2_900 }, "network"), "ok", "a new file in a listing after 2.9 s");
  });
  it("slow, when it is seen later than that", () => {
    expectTold(judge({ removed: 1_500 }), "warning", "a removed file in a listing after 1.5 s");
    expectTold(judge({ replaced: 60_000 }, "network"), "warning", "replaced content after 60.0 s");
  });
  it("bad, when heartbeats are seen too late for the lease", () => {
    expectTold(judge({ rewritten: 6_000 }), "bad", "rewritten content after 6.0 s");
    expectTold(judge({ rewritten: 160_000 }, "network"), "warning", "rewritten content");
    expectTold(judge({ replaced: 160_000 }, "network"), "bad", "replaced content");
  });
  it("bad, when something is never seen", () => {
    expectTold(judge({ opened: null }, "network"), "bad", "not seen within 75.0 s: a new file when opened");
  });
});

describe("the doctor judges events", () => {
  it("ok, when they are heard", () =>
    expectTold(judgeHearing({ kind: "local", heard: 1.26, twoHosts: false }, 1), "ok", "1.3 ms"));
  it("a pity, when they are not", () =>
    expectTold(judgeHearing({ kind: "local", heard: null, twoHosts: true }, 1), "warning", "the other host"));
  it("no matter, on a network file system", () =>
    expectTold(judgeHearing({ kind: "network", heard: null, twoHosts: true }, 3), "ok", "not listened for"));
});

describe("the doctor judges clocks", () => {
  const other = { offset: 0.2, error: 0.1 };
  it("ok, in step or nearly", () => {
    expectTold(judgeClocks({ store: 4, other }), "ok", "in step");
    expectTold(judgeClocks({ store: -5_000, other }), "ok", "the store's clock is 5.0 s behind ours");
  });
  it("worth mending, when a lock could be taken for an old one", () => {
    expectTold(
      judgeClocks({ store: 0, other: { offset: 90_000, error: 1 } }),
      "warning",
      "90.0 s before ours",
    );
  });
});

describe("the doctor judges space", () => {
  it("ok", () =>
    expectTold(judgeRoom({ bytes: 5e9, inodes: undefined }), "ok", "5.0 GB left, inodes are not"));
  it("scarce", () => {
    expectTold(judgeRoom({ bytes: 5e8, inodes: 1e6 }), "warning", "500 MB");
    expectTold(judgeRoom({ bytes: 5e9, inodes: 9_000 }), "warning", "9,000 inodes");
  });
  it("none", () => {
    expectTold(judgeRoom({ bytes: 0, inodes: 1e6 }), "bad", "0 B");
    expectTold(judgeRoom({ bytes: 5e9, inodes: 0 }), "bad", "0 inodes");
  });
});

describe("the doctor judges permissions", () => {
  const all = { isOwn: true, keepsMode: true, refused: undefined };
  it("ok", () => expectTold(judgePermissions(all), "ok", "executed"));
  it("a pity, when nothing can be executed", () =>
    expectTold(judgePermissions({ ...all, refused: "EACCES" }), "warning", "noexec"));
  it("a pity, when there are no x bits", () =>
    expectTold(
      judgePermissions({ ...all, keepsMode: false, refused: "EACCES" }),
      "warning",
      "made executable",
    ));
  it("odd, when files are another user's", () =>
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
    ["a project that is closed to others", {}, "ok", "nobody else can get in"],
    ["a shared one", { isShared: true, groupWrites: ["."] }, "ok", "shared by the group lab"],
    ["one that all can read", { everybodyReads: [".", "jobqueue"] }, "warning", "everybody can read"],
    ["one whose directory all can see into", { everybodyReads: ["."] }, "ok", "nobody else can get in"],
    ["one that a group can write", { groupWrites: ["jobqueue"] }, "warning", "lab can write here (jobqueue)"],
    ["one with somebody's file in it", { foreign: ["settings.ini"] }, "warning", "(settings.ini)"],
    ["one that all can write", { isShared: true, everybodyWrites: ["jobpod"] }, "bad", "(jobpod)"],
    ["one that all can rename", { openAbove: ["/data"] }, "bad", "(in /data)"],
    ["a directory that all can rename", { isProject: false, openAbove: ["/data"] }, "warning", "(in /data)"],
    ["a directory that all can write", { isProject: false, everybodyWrites: ["."] }, "warning", "can write"],
    ["a directory that all can read", { isProject: false, everybodyReads: ["."] }, "ok", "executed here"],
  ] as const) {
    it(`${verdict}: ${what}`, () => {
      expectTold(judgePermissions({ ...all, others: { ...others, ...differs } }), verdict, found);
    });
  }
  it("not by modes where none are kept", () => {
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
  it("ok", () => {
    expectTold(judge({}), "ok", "ext4 (s on /q), taken for local");
    expectTold(judge({ mount: mount("nfs4", "hard"), ...network, twoHosts: true }), "ok", "nfs4");
    expectTold(judge({ mount: undefined }), "ok", "does not tell");
  });
  it("bad, where two hosts work on what is taken for local", () => {
    expectTold(judge({ twoHosts: true }), "bad", "taken for local");
    expectTold(
      judge({ ...network, there: "local", twoHosts: true, said: "network" }),
      "bad",
      "as settings.ini says",
    );
  });
  it("bad, where renames are copies", () => {
    expectTold(judge({ mount: mount("fuse.s3fs"), ...network }), "bad", "s3fs");
  });
  it("doubtful, where it goes with the power, or when the server stalls", () => {
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
  it("takes the longest mount point, and the last of several", () => {
    expect(mountOf("/etc/x", MOUNTS)?.type).to.equal("ext4");
    expect(mountOf("/home", MOUNTS)).to.include({ type: "cifs", source: "//server/home" });
    expect(mountOf("/homework", MOUNTS)?.type).to.equal("ext4");
    expect(mountOf("/home/ann b/q", MOUNTS)).to.deep.include({
      point: "/home/ann b",
      options: ["rw", "noexec", "rw", "size=1m"],
    });
  });
  it("is nothing where nothing is told", () => expect(mountOf("/x", "")).to.equal(undefined));
});

describe("the doctor judges the other host", () => {
  const here: Greeting = { version: "1", host: "a", space: "s", sees: true, kind: "local" };
  it("as its equal", () => expect(judgeGreetings(here, { ...here, host: "b" })).to.equal(undefined));
  it("unfit, when it does not see the directory", () =>
    expect(judgeGreetings(here, { ...here, sees: false })).to.include({ verdict: "bad", stop: true }));
  it("odd, when it has another version", () =>
    expect(judgeGreetings(here, { ...here, version: "2" })).to.include({ verdict: "warning", stop: false }));
});
