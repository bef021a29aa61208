import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { parseLedger } from "../../src/index.js";
import { Layout } from "../../src/project/layout.js";
import { binary } from "../rig/command.js";
import { sized } from "../rig/sized.js";
import { ANN, BOB, EVE, GROUP, needUsers, openWorldTo, runAs, type User } from "../rig/users.js";
import { projectPerTest } from "../rig/with-project.js";

const modeOf = (file: string) => fs.statSync(file).mode & 0o7777;

/** A directory and everything in it. */
function tree(dir: string): string[] {
  return [
    dir,
    ...fs.readdirSync(dir, { recursive: true, encoding: "utf8" }).map((name) => path.join(dir, name)),
  ];
}

async function withUmask(umask: string, env: NodeJS.ProcessEnv, cwd: string, ...line: string[]) {
  const [name = "", ...args] = line;
  const command = [process.execPath, binary(name as "fjord"), ...args];
  return execa("sh", ["-c", `umask ${umask}; exec "$@"`, "sh", ...command], {
    env,
    cwd,
    reject: false,
    extendEnv: false,
  });
}

/** An umask, and the mode of a file that a job makes with it. */
const UMASKS = [
  ["000", 0o666],
  ["022", 0o644],
  ["077", 0o600],
] as const;

describe("a new project", function () {
  this.slow(5000);
  const project = projectPerTest();
  const dir = (name: string) => path.join(project().home, name);

  for (const [umask, file] of sized(UMASKS.slice(0, 1), [...UMASKS])) {
    it(`is closed to others with an umask of ${umask}, and its jobs have that umask`, async () => {
      const fjord = (...line: string[]) => withUmask(umask, project().env, project().work, ...line);
      await fjord("fjord", "submit", "--project", "new", "--name", "a", "--", "umask > is; echo printed");
      await fjord(
        "fjord",
        "submit",
        "--project",
        "new",
        "--name",
        "n",
        "--array",
        "1-2",
        "--",
        "echo {index}",
      );
      const control = `[control]\nexecutable = echo it;:\nlogfile = ${project().work}/out/it.txt\n`;
      fs.writeFileSync(path.join(dir("new"), "jobqueue", "l.ini"), control);
      await fjord("recruiter", "hire", "1", "--project", "new");
      const { exitCode } = await fjord("dispatcher", "--project", "new");
      expect(exitCode).to.equal(0);
      const open = tree(dir("new")).filter((file) => (modeOf(file) & 0o077) !== 0);
      expect(open.filter((file) => !file.endsWith("l.ini"))).to.deep.equal([]);
      expect(fs.readFileSync(path.join(project().work, "is"), "utf8").trim()).to.match(
        new RegExp(`0*${Number(umask)}$`),
      );
      for (const made of ["is", "out/it.txt"]) expect(modeOf(path.join(project().work, made))).to.equal(file);
      await fjord("recruiter", "fire", "--wait", "--project", "new");
    });
  }

  it("leaves the directory that it lies in open to others", async () => {
    await withUmask(
      "022",
      project().env,
      project().work,
      "fjord",
      "submit",
      "--project",
      "./a/b",
      "--",
      "true",
    );
    expect(modeOf(path.join(project().work, "a"))).to.equal(0o755);
    expect(modeOf(path.join(project().work, "a/b"))).to.equal(0o700);
  });

  it("is closed to others when fjord run makes it, too", async () => {
    const run = ["run", "-j", "1", "--", `ls -ld "$FJORD_PROJECT" > ls; false`];
    await withUmask("000", project().env, project().work, "fjord", ...run);
    expect(fs.readFileSync(path.join(project().work, "ls"), "utf8")).to.match(/^drwx------/);
    const made = fs.readdirSync(project().home).filter((name) => name !== "test");
    expect(made).to.have.length(1);
    expect(tree(dir(made[0] ?? "")).filter((file) => (modeOf(file) & 0o077) !== 0)).to.deep.equal([]);
  });
});

describe("a project that exists", () => {
  const project = projectPerTest();

  it("keeps its modes", async () => {
    const { layout } = project();
    for (const dir of [layout.root, ...layout.directories()]) fs.chmodSync(dir, 0o755);
    await withUmask("022", project().env, project().work, "fjord", "submit", "--name", "a", "--", "true");
    expect(modeOf(layout.jobqueue)).to.equal(0o755);
    expect(modeOf(layout.queued("a.ini"))).to.equal(0o644);
  });

  it("is not given to a group by --shared", async () => {
    for (const group of ["root", "no such group"]) {
      const { exitCode, stderr } = await project().run("recruiter", ["hire", "1", "--shared", group]);
      expect(exitCode).to.equal(2);
      expect(stderr).to.contain(
        group === "root" ? "is a project already" : 'there is no group "no such group"',
      );
      if (group === "root") expect(stderr).to.contain("chgrp -R 'root'");
    }
    expect(project().workers).to.deep.equal([]);
  });
});

describe("a shared project", function () {
  this.slow(5000);
  const project = projectPerTest();
  const shared = () => path.join(project().home, "lab");
  const layout = () => new Layout(shared());
  const as = (user: User, name: "fjord" | "recruiter" | "dispatcher", ...args: string[]) =>
    runAs(project(), user, user === ANN ? "022" : "077", name, args, { env: { FJORD_PROJECT: shared() } });

  before(async function () {
    await needUsers(this);
  });

  beforeEach(async () => {
    await openWorldTo(project(), ANN);
    fs.chmodSync(project().home, 0o777);
    fs.chmodSync(project().work, 0o777);
    const { exitCode, stderr } = await as(
      ANN,
      "fjord",
      "submit",
      "--name",
      "anns",
      "--shared",
      GROUP.name,
      "true",
    );
    expect(exitCode, stderr).to.equal(2); // "true" is not a job file, so fjord makes no project
    const made = await runAs(project(), ANN, "077", "fjord", [
      ...["submit", "--project", shared(), "--shared", GROUP.name, "--name", "anns", "--", "id -u; umask"],
    ]);
    expect(made.exitCode, made.stderr).to.equal(0);
    expect(made.stdout).to.contain('for the group "nogroup"');
  });

  it("belongs to the group and is closed to others, whatever the umasks", async () => {
    expect((await as(BOB, "fjord", "submit", "--name", "bobs", "--", "id -u; umask")).exitCode).to.equal(0);
    expect(
      (await as(BOB, "fjord", "submit", "--name", "n", "--array", "1-3", "--", "echo {index}")).exitCode,
    ).to.equal(0);
    const hired = await as(ANN, "recruiter", "hire", "1");
    expect(hired.exitCode, hired.stderr).to.equal(0);
    const dispatched = await as(BOB, "dispatcher");
    expect(dispatched.exitCode, dispatched.stdout + dispatched.stderr).to.equal(0);
    expect(fs.readFileSync(layout().attemptLog("bobs", 1), "utf8")).to.equal(`${ANN.uid}\n0022\n`);
    for (const file of tree(shared())) {
      const { gid, mode } = fs.lstatSync(file);
      expect(gid, file).to.equal(GROUP.gid);
      expect(mode & 0o007, file).to.equal(0);
      expect(mode & 0o060, file).to.equal(0o060);
      if (fs.statSync(file).isDirectory()) expect(mode & 0o2070, file).to.equal(0o2070);
    }
    // Now Bob's worker and Ann's dispatcher continue with the files that Ann's worker and Bob's dispatcher made.
    expect((await as(ANN, "recruiter", "fire", "--wait")).exitCode).to.equal(0);
    expect((await as(BOB, "recruiter", "hire", "1")).exitCode).to.equal(0);
    expect((await as(ANN, "fjord", "submit", "--name", "again", "--", "id -u; umask")).exitCode).to.equal(0);
    expect((await as(ANN, "dispatcher")).exitCode).to.equal(0);
    expect(fs.readFileSync(layout().attemptLog("again", 1), "utf8")).to.equal(`${BOB.uid}\n0077\n`);
    expect((await as(ANN, "recruiter", "fire", "--wait")).exitCode).to.equal(0);
    const ledger = fs
      .readdirSync(layout().ledger)
      .flatMap((name) => parseLedger(fs.readFileSync(layout().ledgerFile(name), "utf8")));
    expect(ledger.filter(({ event }) => event === "refused" || event === "lost")).to.deep.equal([]);
  });

  it("is closed to users outside the group", async () => {
    const { exitCode, stderr } = await as(EVE, "fjord", "submit", "--", "true");
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain("permission denied");
  });

  it("can be made by three processes at once in an existing directory, which stays readable for others", async () => {
    const other = path.join(project().work, "paper");
    fs.mkdirSync(other);
    fs.chmodSync(other, 0o755);
    fs.chownSync(other, ANN.uid, ANN.gid);
    const make = () =>
      runAs(project(), ANN, "022", "fjord", [
        "submit",
        "--project",
        other,
        "--shared",
        GROUP.name,
        "--",
        "true",
      ]);
    for (const { exitCode, stderr } of await Promise.all([make(), make(), make()])) {
      expect(exitCode, stderr).to.equal(0);
    }
    const { root, jobqueue } = new Layout(other);
    expect(modeOf(root)).to.equal(0o2775);
    expect(modeOf(jobqueue)).to.equal(0o2770);
    expect(fs.readdirSync(jobqueue)).to.have.length(3);
    expect(fs.readdirSync(root).filter((name) => name.startsWith("."))).to.deep.equal([]);
  });

  it("can only be made by a member of the group", async () => {
    const other = path.join(project().home, "other");
    const { exitCode, stderr } = await runAs(project(), EVE, "022", "dispatcher", [
      ...["--project", other, "--shared", GROUP.name],
    ]);
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain("cannot be given to the group nogroup");
    expect(fs.existsSync(other)).to.equal(false);
  });

  it("accepts --shared again for the same group", async () => {
    expect((await as(BOB, "fjord", "submit", "--shared", GROUP.name, "--", "true")).exitCode).to.equal(0);
  });

  it("refuses settings that belong to a user outside the group", async () => {
    const { settings } = layout();
    fs.writeFileSync(settings, "[fjord]\njob_owners = anyone\n", { mode: 0o644 });
    fs.chownSync(settings, EVE.uid, EVE.gid);
    const { exitCode, stderr } = await as(BOB, "fjord", "submit", "--", "true");
    fs.rmSync(settings);
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain(`settings.ini belongs to another user (uid ${EVE.uid})`);
  });

  it("gets no worker of root, which would give its members root's rights, unless root allows this", async () => {
    const lab = ["--project", shared()];
    const refused = await project().run("recruiter", ["hire", "1", ...lab]);
    expect(refused.exitCode).to.equal(2);
    expect(refused.stderr).to.contain("would run as root");
    // A setting that a member writes does not count.
    fs.writeFileSync(layout().settings, "[fjord]\njob_owners = group\n", { mode: 0o640 });
    fs.chownSync(layout().settings, BOB.uid, GROUP.gid);
    expect((await project().run("recruiter", ["hire", "1", ...lab])).exitCode).to.equal(2);
    fs.chownSync(layout().settings, 0, GROUP.gid);
    expect((await project().run("recruiter", ["hire", "1", ...lab])).exitCode).to.equal(0);
    expect((await project().run("dispatcher", lab)).exitCode).to.equal(0);
    expect(fs.readFileSync(layout().attemptLog("anns", 1), "utf8")).to.match(/^0\n/);
    await project().run("recruiter", ["fire", "--wait", ...lab]);
  });
});
