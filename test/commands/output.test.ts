import fs from "node:fs";
import { expect } from "chai";
import { binary, type CommandName } from "../rig/command.js";
import { processesWith } from "../rig/processes.js";
import { sharedProject, skip } from "../rig/with-project.js";

const CANNOT =
  /^\[(?:fjord|recruiter|dispatcher|worker)\] Standard output could not be written: (E[A-Z]+): .*\.\n$/;

/** One command for each way to print. */
const PRINTING: readonly (readonly [CommandName, ...string[]])[] = [
  ["fjord", "--version"],
  ["fjord", "--help"],
  ["fjord", "list", "--json"],
  ["fjord", "results", "--csv"],
  ["fjord", "log", "old", "older"],
  ["fjord", "submit", "--json", "--name", "new", "--", "true"],
  ["recruiter", "list"],
  ["dispatcher", "--status-only"],
];

describe("output that cannot be written", () => {
  const project = sharedProject();
  const redirected = (how: string, name: CommandName, ...args: readonly string[]) =>
    project().startProgram("sh", ["-c", `${how}; exec "$@"`, "sh", process.execPath, binary(name), ...args]);

  before(function () {
    if (!fs.existsSync("/dev/full")) skip(this, "there is no /dev/full");
    for (const job of ["old", "older"]) {
      fs.writeFileSync(project().layout.ended("jobdone", `${job}.ini`), "[control]\nexecutable = true\n");
      fs.writeFileSync(project().layout.attemptLog(job, 1), `${job}\n`);
    }
  });

  it("is reported in one line by every command, with exit code 2", async () => {
    await Promise.all(
      PRINTING.map(async (words) => {
        const { exitCode, stderr } = await redirected("exec >/dev/full", ...words).end;
        expect(exitCode, words.join(" ")).to.equal(2);
        expect(CANNOT.exec(stderr)?.[1], `${words.join(" ")}: ${stderr}`).to.equal("ENOSPC");
      }),
    );
    expect(project().files.queued, "the work was done").to.deep.equal(["new.ini"]);
    fs.rmSync(project().layout.queued("new.ini"));
  });

  it("is reported when the stream was not opened for writing, and when only a part was written", async () => {
    const [notOpened, tooLong] = await Promise.all([
      redirected("exec </dev/null 1<&0", "fjord", "list").end,
      redirected("ulimit -f 1; exec >part", "fjord", "--help").end,
    ]);
    expect(notOpened.exitCode).to.equal(2);
    expect(CANNOT.exec(notOpened.stderr)?.[1]).to.equal("EBADF");
    expect(tooLong.exitCode).to.equal(2);
    expect(CANNOT.exec(tooLong.stderr)?.[1]).to.equal("EFBIG");
    expect(fs.statSync(`${project().work}/part`).size).to.be.oneOf([512, 1024]);
  });

  it("changes nothing when the stream is standard error, or when the reader has gone", async () => {
    const [misused, unknown, headed] = await Promise.all([
      redirected("exec 2>/dev/full", "fjord", "lst").end,
      redirected("exec 2>/dev/full", "fjord", "log", "nobody").end,
      project().startProgram("sh", [
        "-c",
        `{ "$0" "$@"; echo $? >&2; } | true`,
        process.execPath,
        binary("fjord"),
        "--help",
      ]).end,
    ]);
    expect(misused).to.include({ exitCode: 2, stderr: "" });
    expect(unknown).to.include({ exitCode: 3, stderr: "" });
    expect(headed.stderr).to.equal("0\n");
  });

  it("ends fjord run, which fires its workers and keeps the results that were not printed", async () => {
    const command = ["--param", "n=1..2", "--", "echo", "{n}"];
    const [printed, json, table] = await Promise.all([
      redirected("exec >/dev/full", "fjord", "run", "-j1", ...command).end,
      redirected("exec >/dev/full", "fjord", "run", "-j1", "--json", ...command).end,
      redirected(":", "fjord", "run", "-j1", "--results", "/dev/full", "--", "echo", "1").end,
    ]);
    expect([printed.exitCode, json.exitCode, table.exitCode]).to.deep.equal([2, 2, 2]);
    const [first = "", ...more] = printed.stderr.split(/(?<=\n)/);
    expect(first).to.match(CANNOT);
    expect(more.join("")).to.match(/^\[fjord\] 2 jobs: .*\n\[fjord\] Output of a job: fjord log --project /);
    expect(json.stderr).to.match(CANNOT);
    expect(table.stdout).to.equal("1\n");
    expect(table.stderr).to.match(/^\[fjord\] The table "\/dev\/full" could not be written: ENOSPC: .*\.\n/);
    const kept = project()
      .list(project().home)
      .filter((name) => name.startsWith("run-"));
    expect(kept).to.have.length(2);
    expect(processesWith(project().root)).to.deep.equal([]);
  });

  it("does not stop the work of a daemon, and makes its exit code 2", async () => {
    const worker = redirected("exec >/dev/full", "worker", "--no-quiet");
    project().job("works", "true");
    const dispatcher = await redirected("exec >/dev/full", "dispatcher").end;
    expect(dispatcher.exitCode).to.equal(2);
    expect(dispatcher.stderr).to.match(CANNOT);
    expect((await project().ended("works")).outcome).to.deep.equal({ kind: "succeeded" });
    await project().run("recruiter", ["fire", "--wait"]);
    const end = await worker.end;
    expect(end.exitCode).to.equal(2);
    expect(end.stderr).to.match(CANNOT);
  });
});
