import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { EVE, needUsers } from "../rig/users.js";
import { projectPerTest } from "../rig/with-project.js";

const PRECIOUS = "must stay as it is\n";

describe("a symbolic link", () => {
  const project = projectPerTest();
  const precious = () => path.join(project().root, "precious");

  beforeEach(() => fs.writeFileSync(precious(), PRECIOUS));

  /** Puts a link to the precious file, or to another target, where fjord will write. */
  function plant(link: string, target = precious()): void {
    fs.mkdirSync(path.dirname(link), { recursive: true });
    fs.symlinkSync(target, link);
  }

  function expectUntouched(): void {
    expect(fs.readFileSync(precious(), "utf8")).to.equal(PRECIOUS);
  }

  async function runAll(exitCode = 0): Promise<void> {
    await project().hire(1);
    const end = await project().run("dispatcher");
    expect(end.exitCode, end.stdout + end.stderr).to.equal(exitCode);
  }

  it("in the place of an attempt's log only makes fjord skip that attempt's number", async () => {
    plant(project().layout.attemptLog("a", 1));
    project().job("a", "echo printed;:");
    await runAll();
    expectUntouched();
    expect(project().log("a", 2)).to.equal("printed\n");
  });

  it("in the place of a refusal's log is replaced", async () => {
    const log = project().layout.refusalLog("bad");
    plant(log);
    project().rename("bad.ini", "no job\n");
    await runAll(1);
    expectUntouched();
    expect(fs.lstatSync(log).isSymbolicLink()).to.equal(false);
  });

  it("in the queue is refused, and fjord show does not follow it; nor does it read a pipe", async () => {
    plant(project().layout.queued("link.ini"));
    execFileSync("mkfifo", [project().layout.queued("pipe.ini")]);
    await runAll(1);
    expect(project().ends.failed).to.deep.equal(["link", "pipe"]);
    const { stdout } = await project().run("fjord", ["show", "link", "pipe"]);
    expect(stdout).to.include("(a link, which is not followed)").and.include("(not a regular file)");
    expect(stdout).not.to.include(PRECIOUS.trim());
  });

  it("in the place of a ledger stops the worker that would write it", async () => {
    plant(project().layout.ledgerOf("mine"));
    const { exitCode, stderr } = await project().run("worker", ["--id", "mine"]);
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain("ELOOP");
    expectUntouched();
  });

  it("in the place of a daemon's log stops the daemon", async () => {
    plant(project().layout.daemonLog("mine"));
    expect((await project().run("worker", ["--id", "mine"])).exitCode).to.equal(2);
    expectUntouched();
  });

  it("in the place of a job's progress or result is not followed, and fjord does not wait for a pipe there", async () => {
    const result = 'ln -s "$SECRET" "$FJORD_RESULT"; mkfifo "$FJORD_PROGRESS"; :';
    fs.writeFileSync(precious(), '{"password": "x"}');
    project().job("a", `SECRET='${precious()}'; ${result}`);
    project().job("b", `mkfifo "$FJORD_RESULT"; :`);
    await runAll();
    for (const job of ["a", "b"]) {
      expect(project().events("ended", job)[0]).not.to.have.property("result");
      expect(project().log(job)).to.contain("fjord: the result was not taken: $FJORD_RESULT ");
    }
    expect((await project().run("fjord", ["status"])).exitCode).to.equal(0);
  });

  it("in a checkpoint, or in the place of a checkpoint, is removed and not followed", async () => {
    const kept = path.join(project().root, "kept");
    plant(path.join(kept, "file"));
    const checkpoint = 'mkdir -p "$FJORD_CHECKPOINT_DIR"; ln -s "$KEPT" "$FJORD_CHECKPOINT_DIR/in"; :';
    project().job("a", `KEPT='${kept}'; ${checkpoint}`);
    project().job("b", `ln -s '${kept}' "$FJORD_CHECKPOINT_DIR"; :`);
    await runAll();
    expect(project().list(project().layout.jobcheckpoints)).to.deep.equal([]);
    expect(project().list(kept)).to.deep.equal(["file"]);
    plant(project().layout.checkpointOf("a"), kept);
    expect((await project().run("fjord", ["clean", "--older-than", "0s", "a", "b"])).exitCode).to.equal(0);
    expect(project().list(kept)).to.deep.equal(["file"]);
    expectUntouched();
  });

  it("in a forged line of a ledger does not make fjord clean remove another file", async () => {
    project().job("a", "true");
    await runAll();
    const attempt = "1/../../../../precious";
    const line = {
      v: 1,
      t: "2026-01-01T00:00:00Z",
      event: "started",
      job: "a",
      attempt,
      worker: "w",
      log: "x",
    };
    fs.mkdirSync(`${project().layout.joblogs}/a.1`);
    fs.writeFileSync(`${precious()}.log`, PRECIOUS);
    fs.writeFileSync(project().layout.ledgerOf("forged"), `${JSON.stringify(line)}\n`);
    expect((await project().run("fjord", ["clean", "--older-than", "0s", "a"])).exitCode).to.equal(0);
    expect(fs.readFileSync(`${precious()}.log`, "utf8")).to.equal(PRECIOUS);
  });

  describe("at a job's logfile", () => {
    const results = () => path.join(project().work, "results");
    const link = () => path.join(results(), "out.txt");

    it("is followed when it belongs to the user, also to a second link", async () => {
      plant(link(), "next.txt");
      plant(path.join(results(), "next.txt"), "../../precious");
      project().job("a", "echo printed;:", { logfile: "results/out.txt" });
      await runAll();
      expect(fs.readFileSync(precious(), "utf8")).to.equal("printed\n");
    });

    it("makes fjord create the file that it leads to", async () => {
      plant(link(), "made.txt");
      project().job("a", "echo printed;:", { logfile: "results/out.txt" });
      await runAll();
      expect(fs.readFileSync(path.join(results(), "made.txt"), "utf8")).to.equal("printed\n");
    });

    it("fails the job when it leads to itself", async () => {
      plant(link(), "out.txt");
      project().job("a", "echo printed;:", { logfile: "results/out.txt" });
      await runAll(1);
      expect(project().log("a")).to.contain("fjord: the logfile ");
    });

    for (const [what, target] of [
      ["a file", "../../precious"],
      ["nothing yet", "../../new"],
    ] as const) {
      it(`is not followed to ${what} when it belongs to another user`, async function () {
        await needUsers(this);
        plant(link(), target);
        fs.lchownSync(link(), EVE.uid, EVE.gid);
        project().job("a", "echo printed;:", { logfile: "results/out.txt" });
        await runAll(1);
        expectUntouched();
        expect(fs.existsSync(path.join(project().root, "new"))).to.equal(false);
        expect(project().events("ended", "a")[0]?.outcome).to.deep.equal({ kind: "failed", code: 74 });
        expect(project().log("a")).to.contain(`is a symbolic link of another user (uid ${EVE.uid})`);
      });
    }
  });

  it("in the place of a project's directory is followed only when it belongs to the user", async function () {
    const { layout } = project();
    const elsewhere = path.join(project().root, "elsewhere");
    fs.renameSync(layout.joblogs, elsewhere);
    plant(layout.joblogs, elsewhere);
    project().job("a", "echo printed;:");
    await runAll();
    expect(project().log("a")).to.equal("printed\n");
    await project().run("recruiter", ["fire", "--wait"]);
    await needUsers(this);
    fs.lchownSync(layout.joblogs, EVE.uid, EVE.gid);
    for (const command of [["dispatcher"], ["recruiter", "hire", "1"], ["fjord", "status"]] as const) {
      const [name, ...args] = command;
      const { exitCode, stderr } = await project().run(name, args);
      expect(exitCode).to.equal(2);
      expect(stderr).to.contain(`joblogs is a symbolic link of another user (uid ${EVE.uid})`);
    }
    fs.lchownSync(layout.joblogs, 0, 0);
  });
});
