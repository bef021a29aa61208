import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import type { Diagnosis } from "../../src/doctor/diagnose.js";
import { sized } from "../rig/sized.js";
import { EVE, fileOf, needUsers } from "../rig/users.js";
import { projectPerTest } from "../rig/with-project.js";

/** The mode of all directories of a project, and the doctor's exit code, verdict and words. */
const MODES = [
  [0o755, 0, "warning", "everybody can read the files here"],
  [0o775, 0, "warning", "can write here (., jobqueue, jobarrays"],
  [0o2770, 0, "ok", "is shared by the group"],
  [0o777, 1, "bad", "everybody can write here (., jobqueue, jobarrays"],
] as const;

describe("fjord doctor checks the access of other users", function () {
  this.slow(8000);
  const project = projectPerTest();

  async function permissions(exitCode = 0, directory = project().directory) {
    const end = await project().run("fjord", ["doctor", "--json", directory]);
    expect(end.exitCode, end.stderr).to.equal(exitCode);
    const { findings } = JSON.parse(end.stdout) as Diagnosis;
    return findings.find(({ test }) => test === "permissions");
  }

  function setModes(mode: number): void {
    const { layout } = project();
    for (const dir of [layout.root, ...layout.directories()]) fs.chmodSync(dir, mode);
  }

  it("is ok in a project that fjord has made, which is closed to others", async () => {
    await project().run("fjord", ["submit", "--project", "./new", "--", "true"]);
    const found = await permissions(0, path.join(project().work, "new"));
    expect(found).to.include({ verdict: "ok" });
    expect(found?.found).to.contain("no other user has access");
  });

  for (const [mode, exitCode, verdict, says] of sized(MODES.slice(-1), [...MODES])) {
    it(`is ${verdict} in a project with the mode ${mode.toString(8)}`, async () => {
      setModes(mode);
      const found = await permissions(exitCode);
      expect(found).to.include({ verdict });
      expect(found?.found).to.contain(says);
    });
  }

  it("is bad in a project that another user could rename and replace", async () => {
    await project().run("fjord", ["submit", "--project", "./new", "--", "true"]);
    fs.chmodSync(project().work, 0o777);
    const found = await permissions(1, path.join(project().work, "new"));
    expect(found).to.include({ verdict: "bad" });
    expect(found?.found).to.contain(`(in ${fs.realpathSync(project().work)})`);
    fs.chmodSync(project().work, 0o1777);
    expect(await permissions(0, path.join(project().work, "new"))).to.include({ verdict: "ok" });
  });

  it("warns of a file in the project that belongs to another user", async function () {
    await needUsers(this);
    setModes(0o700);
    fileOf(EVE, project().layout.settings, "[fjord]\njob_owners = anyone\n");
    const found = await permissions();
    expect(found).to.include({ verdict: "warning" });
    expect(found?.found).to.contain("another user owns files here (settings.ini)");
    fs.rmSync(project().layout.settings);
  });
});
