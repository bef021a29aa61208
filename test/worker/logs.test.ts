import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { sharedProject } from "../rig/with-project.js";

describe("the output of a job", () => {
  const project = sharedProject();

  before(async () => {
    await project().hire(2);
    project().start("dispatcher", ["--stay"]);
  });

  const result = (file: string) => fs.readFileSync(path.join(project().work, file), "utf8");

  async function run(name: string, executable: string, keys: Record<string, string> = {}): Promise<void> {
    project().job(name, executable, keys);
    await project().ended(name);
  }

  it("is in the log of its attempt while the job runs, both streams in their order", async () => {
    const job = await project().remoteJob("streams");
    await job.started();
    expect(project().log("streams")).to.equal("");
    await job.tell("echo one");
    expect(project().log("streams")).to.equal("one\n");
    await job.tell("echo two >&2");
    expect(project().log("streams")).to.equal("one\ntwo\n");
    await job.tell("printf three");
    expect(project().log("streams")).to.equal("one\ntwo\nthree");
    expect(project().ends.done).not.to.include("streams");
    job.exit(0);
    await project().ended("streams");
    expect(project().log("streams")).to.equal("one\ntwo\nthree");
  });

  it("is kept byte for byte, even megabytes", async () => {
    await run("bytes", "head -c 5000000 /dev/zero; printf '\\377\\001';:");
    const log = fs.readFileSync(project().layout.attemptLog("bytes", 1));
    expect(log.length).to.equal(5_000_002);
    expect([...log.subarray(-3)]).to.deep.equal([0, 255, 1]);
  });

  it("is kept separately for jobs that run at the same time", async () => {
    const [one, two] = [await project().remoteJob("one"), await project().remoteJob("two")];
    await one.started();
    await two.started();
    await one.tell("echo from one");
    await two.tell("echo from two");
    one.exit(0);
    two.exit(0);
    await project().ended("one");
    await project().ended("two");
    expect(project().log("one")).to.equal("from one\n");
    expect(project().log("two")).to.equal("from two\n");
  });

  it("goes to the logfile when the job did not write that file, and the directory is created before", async () => {
    await run("prints", 'test -d deep/er && echo printed; echo "also this" >&2;:', {
      logfile: "deep/er/out.dat",
    });
    expect(result("deep/er/out.dat")).to.equal("printed\nalso this\n");
    expect(project().log("prints")).to.equal("printed\nalso this\n");
  });

  it("does not replace a logfile that the job wrote itself", async () => {
    await run("writes", 'echo result >"$FJORD_LOGFILE"; echo chatter;:', { logfile: "data/own.dat" });
    expect(result("data/own.dat")).to.equal("result\n");
    expect(project().log("writes")).to.equal("chatter\n");
  });

  it("does not replace a logfile that the job wrote with the same text as before", async () => {
    fs.writeFileSync(path.join(project().work, "same.dat"), "result\n");
    await run("rewrites", 'echo result >"$FJORD_LOGFILE"; echo chatter;:', { logfile: "same.dat" });
    expect(result("same.dat")).to.equal("result\n");
  });

  it("does not replace a logfile that the job appended to or emptied", async () => {
    fs.writeFileSync(path.join(project().work, "more.dat"), "old\n");
    await run("appends", 'echo new >>"$FJORD_LOGFILE"; echo chatter;:', { logfile: "more.dat" });
    expect(result("more.dat")).to.equal("old\nnew\n");
    fs.writeFileSync(path.join(project().work, "less.dat"), "old\n");
    await run("truncates", ': >"$FJORD_LOGFILE"; echo chatter;:', { logfile: "less.dat" });
    expect(result("less.dat")).to.equal("");
  });

  it("replaces an old logfile that the job did not touch", async () => {
    fs.writeFileSync(path.join(project().work, "stale.dat"), "of an earlier run\n");
    await run("prints anew", "echo fresh;:", { logfile: "stale.dat" });
    expect(result("stale.dat")).to.equal("fresh\n");
  });

  it("goes to the logfile even when the job failed, or printed nothing", async () => {
    await run("fails", "echo partly; exit 1;:", { logfile: "partly.dat" });
    expect(result("partly.dat")).to.equal("partly\n");
    await run("is silent", "true", { logfile: "nothing.dat" });
    expect(result("nothing.dat")).to.equal("");
  });

  it("goes to a logfile that is relative to the workdir, absolute, or in the home directory", async () => {
    fs.mkdirSync(path.join(project().work, "elsewhere"));
    await run("relative", "echo there;:", { workdir: "elsewhere", logfile: "x/out" });
    expect(result("elsewhere/x/out")).to.equal("there\n");
    await run("absolute", "echo abs;:", {
      workdir: "elsewhere",
      logfile: path.join(project().root, "abs out"),
    });
    expect(fs.readFileSync(path.join(project().root, "abs out"), "utf8")).to.equal("abs\n");
    await run("home", "echo home;:", { logfile: "~/out" });
    expect(fs.readFileSync(path.join(project().root, "user/out"), "utf8")).to.equal("home\n");
  });

  it("contains the reason when the logfile is impossible, and the job fails", async () => {
    fs.writeFileSync(path.join(project().work, "a-file"), "");
    fs.mkdirSync(path.join(project().work, "a-dir"), { recursive: true });
    for (const [name, logfile] of [
      ["below a file", "a-file/out"],
      ["a directory", "a-dir"],
    ] as const) {
      await run(name, "echo ran;:", { logfile });
      expect(project().ends.failed).to.include(name);
      expect(project().log(name)).to.contain(
        `fjord: the logfile ${project().work}/${logfile} cannot be written`,
      );
      expect(project().log(name)).not.to.match(/^ran$/m);
      expect((await project().ended(name)).outcome).to.deep.equal({ kind: "failed", code: 73 });
    }
  });

  it("goes to /dev/null when that is the logfile", async () => {
    await run("null", "echo x;:", { logfile: "/dev/null" });
    expect(project().ends.done).to.include("null");
    expect(fs.statSync("/dev/null").isCharacterDevice()).to.equal(true);
  });

  it("has a separate log for each attempt, with the end of that attempt", async () => {
    await run("tries", 'echo "try $FJORD_ATTEMPT"; test $FJORD_ATTEMPT = 3 || exit 1;:', {
      retries: "2",
      logfile: "tries.dat",
    });
    expect([1, 2, 3].map((n) => project().log("tries", n))).to.deep.equal(["try 1\n", "try 2\n", "try 3\n"]);
    expect(result("tries.dat")).to.equal("try 3\n");
    expect(
      project()
        .list(project().layout.joblogs)
        .filter((file) => file.startsWith("tries.")),
    ).to.have.length(3);
  });
});
