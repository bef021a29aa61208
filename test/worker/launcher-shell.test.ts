import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import type { RunRequest } from "../../src/worker/command.js";
import { LauncherShell } from "../../src/worker/launcher-shell.js";
import type { RunEnd } from "../../src/worker/runner.js";
import { CAN_LIST_CHILDREN } from "../../src/worker/usage.js";
import { until } from "../rig/until.js";
import { skip } from "../rig/with-project.js";

const NO_CHILDREN = "this system does not list the children of a process";

describe("the launcher shell", () => {
  let dir = "";
  let shell: LauncherShell;

  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-shell-"));
    shell = new LauncherShell("/", {}, path.join(dir, "ledger"));
  });

  afterEach(async () => {
    await shell.kill();
    fs.rmSync(dir, { recursive: true });
  });

  function request(name: string, line: string): RunRequest {
    return {
      line,
      jobFile: path.join(dir, `${name}.ini`),
      directory: undefined,
      log: path.join(dir, `${name}.log`),
      nice: undefined,
      shell: undefined,
      environment: { FJORD_JOB: name, WITH_QUOTE: "it's \\n" },
      started: `{"job":"${name}","text":"a \\n 'b' $HOME"}`,
    };
  }

  const lines = () =>
    fs.existsSync(path.join(dir, "ledger")) ? fs.readFileSync(path.join(dir, "ledger"), "utf8") : "";
  const log = (name: string) => fs.readFileSync(path.join(dir, `${name}.log`), "utf8");
  const started = (name: string) => lines().includes(`"job":"${name}"`);
  const kinds = async (ends: readonly Promise<RunEnd>[]) => (await Promise.all(ends)).map(({ kind }) => kind);

  /** A job that runs until the test lets it go. */
  function gate(name: string): { readonly line: string; open(): void } {
    const file = path.join(dir, `${name}.gate`);
    return {
      line: `while [ ! -e ${file} ]; do sleep 0.02; done; exit 4`,
      open: () => fs.writeFileSync(file, ""),
    };
  }

  it("runs jobs one after the other, and writes their lines into the ledger as they are", async () => {
    const requests = [
      request("a", "exit 3"),
      request("b", "printenv FJORD_JOB"),
      request("c", "printenv WITH_QUOTE"),
    ];
    const ends = await Promise.all(shell.run(requests));
    expect(ends.map((end) => end.kind === "exited" && end.status)).to.deep.equal([3, 1, 1]); // printenv knows no job file
    expect(lines()).to.equal(requests.map(({ started: line }) => `${line}\n`).join(""));
  });

  it("runs plain words without a subshell, with the job's variables and its file as the last argument", async () => {
    await Promise.all(shell.run([request("a", "/usr/bin/printf '%s|' one 'two  words'")]));
    expect(log("a")).to.equal(`one|two  words|${path.join(dir, "a.ini")}|`);
    await Promise.all(shell.run([request("c", "/usr/bin/env -u NOTHING printenv FJORD_JOB WITH_QUOTE #")]));
    expect(log("c")).to.equal("c\nit's \\n\n");
  });

  it("does not keep the variables of a job for the next one", async () => {
    const withMore = { ...request("a", "/bin/true"), environment: { FJORD_INDEX: "3" } };
    await Promise.all(shell.run([withMore, request("b", "/usr/bin/env #")]));
    expect(log("b")).not.to.include("FJORD_INDEX");
  });

  it("skips the jobs behind the one that runs, which goes on", async function () {
    if (!CAN_LIST_CHILDREN) skip(this, NO_CHILDREN);
    const first = gate("a");
    const ends = shell.run([request("a", first.line), request("b", "true"), request("c", "true")]);
    const later = shell.run([request("d", "true")]);
    await until("the first job runs", () => started("a"));
    await shell.skip();
    expect(await kinds([...ends.slice(1), ...later])).to.deep.equal(["skipped", "skipped", "skipped"]);
    expect(shell.look()).to.equal(1);
    first.open();
    expect(await ends[0]).to.include({ kind: "exited", status: 4 });
    expect(lines()).to.equal(`${request("a", "").started}\n`);
    expect(await kinds(shell.run([request("e", "true"), request("f", "true")]))).to.deep.equal([
      "exited",
      "exited",
    ]);
    expect(["b", "c", "d"].filter((name) => fs.existsSync(path.join(dir, `${name}.log`)))).to.deep.equal([]);
  });

  it("tells the ends before the whole row has ended, if it is asked", async function () {
    if (!CAN_LIST_CHILDREN) skip(this, NO_CHILDREN);
    const second = gate("b");
    const [a, b] = shell.run([request("a", "exit 2"), request("b", second.line)]);
    await until("the second job runs", () => started("b"));
    expect(shell.look()).to.equal(1);
    expect(await a).to.include({ kind: "exited", status: 2 });
    second.open();
    expect(await b).to.include({ kind: "exited", status: 4 });
  });

  it("begins nothing after a skip, however often it is asked while short jobs run", async function () {
    if (!CAN_LIST_CHILDREN) skip(this, NO_CHILDREN);
    for (let round = 0; round < 40; round++) {
      const names = Array.from({ length: 12 }, (_, n) => `r${round}-${n}`);
      const ends = shell.run(names.map((name) => request(name, "/bin/true")));
      // Each second skip comes at once, perhaps before the shell has read that the last one is over.
      if (round % 2 === 0) await until("some jobs have started", () => started(`r${round}-${round % 10}`));
      const more = round % 4 === 1 ? shell.skip().then(() => shell.run([request(`m${round}`, "true")])) : [];
      await shell.skip();
      await Promise.all(await more);
      const skipped = await Promise.all(
        ends.slice(-12).map((end) => Promise.race([end, Promise.resolve({ kind: "open" as const })])),
      );
      const after = await kinds(ends);
      for (const [n, name] of names.entries()) {
        expect(started(name), `${name} is ${after[n]}`).to.equal(after[n] === "exited");
        if (skipped[n]?.kind === "skipped") expect(after[n]).to.equal("skipped");
      }
    }
  });

  it("runs all later jobs after a job has sent the signal that means to skip", async () => {
    const ends = await kinds(shell.run([request("a", "sh -c 'kill -USR1 $PPID'"), request("b", "true")]));
    expect(ends[0]).to.equal("exited");
    expect(await kinds(shell.run([request("c", "true"), request("d", "true")]))).to.deep.equal([
      "exited",
      "exited",
    ]);
  });

  it("does not run a job whose start the ledger does not take", async () => {
    fs.mkdirSync(path.join(dir, "ledger"));
    expect(await kinds(shell.run([request("a", "true"), request("b", "true")]))).to.deep.equal([
      "unrecorded",
      "unrecorded",
    ]);
    expect(fs.existsSync(path.join(dir, "a.log"))).to.equal(false);
  });

  it("tells after its death which job ran, and that the others did not begin", async () => {
    const first = gate("a");
    const ends = shell.run([request("a", first.line), request("b", "true")]);
    await until("the first job runs", () => started("a"));
    await shell.kill();
    expect(await kinds(ends)).to.deep.equal(["shell-died", "skipped"]);
    expect(await kinds(shell.run([request("c", "true")]))).to.deep.equal(["shell-died"]);
  });

  it("runs one job after the other where there can be no pipe, and says that it cannot skip", async () => {
    expect(shell.canSkip).to.equal(CAN_LIST_CHILDREN);
    const before = process.env.TMPDIR;
    process.env.TMPDIR = path.join(dir, "missing");
    const another = new LauncherShell("/", {}, path.join(dir, "ledger"));
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    expect(another.canSkip).to.equal(false);
    const [end] = await Promise.all(another.run([request("a", "exit 3")]));
    expect(end).to.include({ kind: "exited", status: 3 });
    await another.kill();
  });

  it("leaves no name of its pipe behind, even if it dies at once", async () => {
    const pipes = () => fs.readdirSync(os.tmpdir()).filter((name) => /^fjord-[0-9a-f-]{36}$/.test(name));
    const before = pipes();
    const another = new LauncherShell("/", {}, path.join(dir, "ledger"));
    const own = pipes().filter((name) => !before.includes(name));
    await Promise.all(shell.run([request("a", "true")]));
    await another.kill();
    await until("the names are gone", () => !pipes().some((name) => own.includes(name)));
  });
});
