import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { beginArray } from "../../src/spool/arrays.js";
import { ANN, BOB, EVE, fileOf, needUsers, openWorldTo, runAs, type User } from "../rig/users.js";
import { projectPerTest } from "../rig/with-project.js";

const QUICK = "[fjord]\npoll = 0.3 s\nsettle = 0.2 s\ngrace = 0.5 s\n";
const PRINTS_ID = "[control]\nexecutable = id -un #\n";

describe("a job file of another user", function () {
  this.slow(5000);
  const project = projectPerTest(QUICK);
  const as = (user: User, name: "recruiter" | "dispatcher" | "fjord", ...args: string[]) =>
    runAs(project(), user, "022", name, args);

  before(async function () {
    await needUsers(this);
  });

  beforeEach(() => openWorldTo(project(), ANN));

  /** Puts an old file into the queue, which counts as complete at once. */
  function put(user: User, file: string, text = PRINTS_ID, mode = 0o644): void {
    const elsewhere = path.join(project().work, file);
    fileOf(user, elsewhere, text, mode);
    fs.utimesSync(elsewhere, 1e9, 1e9);
    fs.renameSync(elsewhere, project().layout.queued(file));
  }

  function say(settings: string, owner = ANN, mode = 0o644): void {
    fileOf(owner, project().layout.settings, `${QUICK}${settings}\n`, mode);
  }

  const reasonOf = (job: string) => project().events("refused", job)[0]?.reason ?? "";

  it("is refused, script or not, and the reason says what to do; files of the user and of root are run", async () => {
    put(BOB, "bobs.ini");
    put(BOB, "bobs.sh", "#!/bin/sh\nid -un\n", 0o755);
    put(BOB, "many.ini", `${PRINTS_ID}\n[array]\nrange = 1-3\n`);
    put(ANN, "anns.ini");
    put({ name: "root", uid: 0, gid: 0 }, "roots.ini");
    await as(ANN, "recruiter", "hire", "1");
    const { exitCode, stdout } = await as(ANN, "dispatcher");
    expect(exitCode).to.equal(1);
    expect(project().ends).to.deep.equal({ done: ["anns", "roots"], failed: ["bobs", "bobs.sh", "many"] });
    for (const job of ["bobs", "bobs.sh", "many"]) {
      expect(reasonOf(job)).to.contain("belongs to daemon, and only jobs of nobody are run here");
      expect(reasonOf(job)).to.contain("write into settings.ini: job_owners = daemon (docs/security.md)");
      expect(stdout).to.contain(reasonOf(job));
    }
    expect(project().log("roots")).to.equal("nobody\n");
  });

  it("is refused by the worker as well, because the file may have been exchanged on the way", async () => {
    await as(ANN, "recruiter", "hire", "1");
    const [worker = ""] = project().workers;
    const { layout } = project();
    const elsewhere = path.join(project().work, "bobs.ini");
    fileOf(BOB, elsewhere, PRINTS_ID);
    fs.renameSync(elsewhere, layout.onDesk(worker, "bobs.ini"));
    await project().until("the job is refused", () => project().ends.failed.includes("bobs"));
    expect(reasonOf("bobs")).to.contain("belongs to daemon");
    expect(project().events("started")).to.deep.equal([]);
  });

  it("is refused by root, too", async () => {
    put(BOB, "bobs.ini");
    put(ANN, "anns.ini");
    await project().hire(1);
    expect((await project().run("dispatcher")).exitCode).to.equal(1);
    expect(project().ends).to.deep.equal({ done: [], failed: ["anns", "bobs"] });
    expect(reasonOf("anns")).to.contain("only jobs of root are run here");
    expect(reasonOf("anns")).to.contain(
      "write into a settings.ini that belongs to root: job_owners = nobody",
    );
  });

  it("of an array starts no job, although its submitter has begun the array", async () => {
    put(BOB, "many.ini", `${PRINTS_ID}\n[array]\nrange = 1-3\n`);
    expect(await beginArray(project().site, "many.ini")).to.equal("begun");
    await as(ANN, "recruiter", "hire", "1");
    const dispatcher = project().start("dispatcher"); // runs as root, which is just as strict
    await dispatcher.said("belongs to daemon");
    dispatcher.kill("SIGTERM");
    await dispatcher.end;
    expect(project().events("started")).to.deep.equal([]);
  });

  for (const [settings, runs] of [
    ["job_owners = daemon", ["bobs"]],
    ["job_owners = 2, daemon", ["bobs", "eves"]],
    ["job_owners = group", ["group"]],
    ["job_owners = group, daemon", ["bobs", "group"]],
    ["job_owners = anyone", ["bobs", "eves", "group"]],
    ["job_owners = own", []],
  ] as const) {
    it(`is run when "${settings}" in the settings includes its owner`, async () => {
      say(settings);
      put(BOB, "bobs.ini");
      put(EVE, "eves.ini");
      // The project's group is a group of root here. fjord asks the system for its members.
      fs.chownSync(project().layout.jobqueue, ANN.uid, 3);
      put({ name: "sys", uid: 3, gid: 1 }, "group.ini");
      await as(ANN, "recruiter", "hire", "1");
      await as(ANN, "dispatcher");
      expect(project().ends.done).to.deep.equal(runs);
      for (const job of runs) expect(project().log(job)).to.equal("nobody\n");
    });
  }

  it("is not allowed by settings that belong to an unrelated user", async () => {
    say("job_owners = anyone", EVE);
    put(EVE, "eves.ini");
    for (const name of ["dispatcher", "recruiter"] as const) {
      const { exitCode, stderr } = await as(ANN, name, ...(name === "recruiter" ? ["hire", "1"] : []));
      expect(exitCode).to.equal(2);
      expect(stderr).to.contain(`settings.ini belongs to another user (uid ${EVE.uid})`);
    }
  });

  it("is not allowed for root by settings that others own or can write", async () => {
    for (const [owner, mode] of [
      [ANN, 0o644],
      [{ name: "root", uid: 0, gid: 0 }, 0o666],
    ] as const) {
      say("job_owners = anyone", owner, mode);
      put(ANN, "anns.ini");
      await project().hire(1);
      await project().run("dispatcher");
      expect(project().ends.done).to.deep.equal([]);
      fs.rmSync(project().layout.ended("jobfailed", "anns.ini"));
    }
  });

  it("is refused when everybody can write it, even if the user owns it", async () => {
    put(ANN, "open.ini", PRINTS_ID, 0o666);
    await as(ANN, "recruiter", "hire", "1");
    await as(ANN, "dispatcher");
    expect(project().ends.failed).to.deep.equal(["open"]);
    expect(reasonOf("open")).to.contain("can be written by everybody").and.to.contain("chmod o-w");
    // In a project that is closed to others nobody else can write the file.
    fs.chmodSync(project().directory, 0o700);
    put(ANN, "open.ini", PRINTS_ID, 0o666);
    expect((await as(ANN, "dispatcher")).exitCode).to.equal(0);
  });
});
