import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import type { Diagnosis } from "../../src/compose/doctor.js";
import { EVE, fileOf, needUsers } from "../rig/users.js";
import { projectPerTest } from "../rig/with-project.js";

describe("fjord doctor looks at what others may do", function () {
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

  it("in a project that fjord has made, where they may nothing", async () => {
    await project().run("fjord", ["submit", "--project", "./new", "--", "true"]);
    const found = await permissions(0, path.join(project().work, "new"));
    expect(found).to.include({ verdict: "ok" });
    expect(found?.found).to.contain("nobody else can get in");
  });

  for (const [mode, exitCode, verdict, says] of [
    [0o755, 0, "warning", "everybody can read what is in it"],
    [0o775, 0, "warning", "can write here (., jobqueue, jobarrays"],
    [0o2770, 0, "ok", "it is shared by the group"],
    [0o777, 1, "bad", "everybody can write here (., jobqueue, jobarrays"],
  ] as const) {
    it(`in one with the mode ${mode.toString(8)}: ${verdict}`, async () => {
      setModes(mode);
      const found = await permissions(exitCode);
      expect(found).to.include({ verdict });
      expect(found?.found).to.contain(says);
    });
  }

  it("in one that somebody could rename, and put another in its place", async () => {
    await project().run("fjord", ["submit", "--project", "./new", "--", "true"]);
    fs.chmodSync(project().work, 0o777);
    const found = await permissions(1, path.join(project().work, "new"));
    expect(found).to.include({ verdict: "bad" });
    expect(found?.found).to.contain(`(in ${fs.realpathSync(project().work)})`);
    fs.chmodSync(project().work, 0o1777);
    expect(await permissions(0, path.join(project().work, "new"))).to.include({ verdict: "ok" });
  });

  it("in one where somebody has put something", async function () {
    await needUsers(this);
    setModes(0o700);
    fileOf(EVE, project().layout.settings, "[fjord]\njob_owners = anyone\n");
    const found = await permissions();
    expect(found).to.include({ verdict: "warning" });
    expect(found?.found).to.contain("another user has put something here (settings.ini)");
    fs.rmSync(project().layout.settings);
  });
});
