import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { binary, PACKAGE, type RunningCommand } from "./rig/command.js";
import { projectPerTest, sharedProject, skip } from "./rig/with-project.js";

const MB = 1024 * 1024;
const OK = "[control]\nexecutable: true\n";

describe("bad input", () => {
  const project = sharedProject();
  let dispatcher: RunningCommand;
  let good = 0;

  before(async () => {
    await project().hire(1);
    dispatcher = project().start("dispatcher", ["--stay"]);
    await dispatcher.said("Started on");
  });

  /** Checks that the daemons still work after any input. */
  afterEach(async () => {
    const name = `good${++good}`;
    project().job(name, "echo fine;:");
    expect((await project().ended(name)).outcome.kind).to.equal("succeeded");
    expect(dispatcher.isAlive).to.equal(true);
    expect(dispatcher.stdout).not.to.contain("Trouble");
    expect(project().workers).to.have.length(1);
  });

  /**
   * Waits until a file is refused, and checks that the ledger, the dispatcher and the log give the same
   * reason with all parts.
   */
  async function refused(file: string, ...parts: string[]): Promise<void> {
    const line = await project().until(`${JSON.stringify(file)} is refused`, () =>
      project()
        .events("refused")
        .find((event) => event.file === file),
    );
    for (const part of parts) expect(line.reason).to.contain(part);
    expect(line.reason).not.to.contain("\n");
    await project().until("the file has been moved", () => project().files.failed.includes(file));
    await project().until(
      "the file has left the queue",
      () => !fs.readdirSync(project().layout.jobqueue).includes(file),
    );
    await dispatcher.said(line.reason);
    expect(fs.readFileSync(project().layout.refusalLog(line.job), "utf8")).to.equal(`${line.reason}\n`);
    expect(project().events("started", line.job)).to.deep.equal([]);
  }

  for (const [what, file, text, ...parts] of [
    ["text that is not an ini file", "prose.ini", "Dear queue,\nplease run this.\n", "prose.ini, line 1"],
    [
      "no section for fjord",
      "other.ini",
      "[params]\na = 1\n",
      "other.ini",
      "neither a section [control] nor [fjd]",
    ],
    ["a misspelt section", "slip.ini", "[contorl]\nexecutable = true\n", "did you mean [control]", "line 1"],
    [
      "no executable",
      "none.ini",
      "[control]\nlogfile = x\n",
      'none.ini, line 1, section [control], key "executable"',
      "is missing",
    ],
    [
      "an empty executable",
      "blank.ini",
      "[control]\nexecutable =\n",
      'line 2, section [control], key "executable"',
      "is empty",
    ],
    [
      "an unknown key",
      "key.ini",
      "[control]\nexecutable = true\nretires = 3\n",
      'key.ini, line 3, section [control], key "retires"',
      'did you mean "retries"?',
    ],
    [
      "an invalid value",
      "value.ini",
      "[fjd]\nexecutable = true\ntimeout = soon\n",
      'value.ini, line 3, section [fjd], key "timeout"',
      "soon",
    ],
    ["an empty file", "empty.ini", "", "empty.ini: is empty"],
    ["NUL bytes", "nul.ini", "[control]\nexecutable = tr\0ue\n", "nul.ini, line 2"],
    ["only NULs", "nuls.ini", "\0".repeat(5000), "nuls.ini, line 1"],
    [
      "binary",
      "binary.ini",
      Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256)),
      "binary.ini, line 1",
    ],
    ["UTF-16", "utf16.ini", Buffer.from(`\ufeff${OK}`, "utf16le"), "utf16.ini, line 1"],
    ["a program without its x bit", "program.sh", "#!/bin/sh\necho\n", "program.sh: is a script", "chmod +x"],
    [
      "10 MB of an ini",
      "large.ini",
      `${OK}[data]\n${"x = 1\n".repeat((10 * MB) / 6)}`,
      "large.ini: is longer than",
    ],
    ["10 MB of nothing", "zeros.ini", Buffer.alloc(10 * MB), "zeros.ini: is longer than"],
  ] as const) {
    it(`refuses ${what}, and names the place`, async () => {
      project().rename(file, text);
      await refused(file, ...parts);
    });
  }

  it("refuses a file that was created and never filled, after the settle time", async () => {
    fs.writeFileSync(project().layout.queued("touched.ini"), "");
    await refused("touched.ini", "touched.ini: is empty");
  });

  it("waits for a file that is created first and filled later", async () => {
    fs.writeFileSync(project().layout.queued("filled.ini"), "");
    await dispatcher.said("Started on");
    project().job("beside", "true");
    await project().ended("beside");
    expect(project().events("refused", "filled")).to.deep.equal([]);
    fs.writeFileSync(project().layout.queued("filled.ini"), OK);
    expect((await project().ended("filled")).outcome.kind).to.equal("succeeded");
  });

  it("never runs a half-written file, and waits until its writer has closed the file", async () => {
    // The first half is a complete job by itself.
    const writer = fs.openSync(project().layout.queued("half.ini"), "w");
    fs.writeSync(writer, "[control]\nexecutable = echo half\n");
    project().job("meanwhile", "true");
    await project().ended("meanwhile");
    fs.writeSync(writer, "  echo whole\n");
    project().job("meanwhile2", "true");
    await project().ended("meanwhile2");
    expect(project().events("started", "half")).to.deep.equal([]);
    fs.writeSync(writer, "  echo closed;:\n");
    fs.closeSync(writer);
    await project().ended("half");
    expect(project().log("half")).to.match(/^half\nwhole\nclosed\n$/);
    expect(project().events("ended", "half")).to.have.length(1);
  });

  it("runs files that cp has copied, small and large", async () => {
    const padding = "# padding\n".repeat(90_000);
    await project().copy("small.ini", OK);
    await project().copy("biggest.ini", `${padding}${OK}`);
    expect((await project().ended("small")).outcome.kind).to.equal("succeeded");
    expect((await project().ended("biggest")).outcome.kind).to.equal("succeeded");
  });

  for (const name of [
    "with space",
    "  spaces  around  ",
    "it's",
    'say "hi"',
    "back\\slash",
    "-n",
    "--help",
    "$HOME",
    "`id`",
    "a;b",
    "a&b|c>d",
    "*",
    "[x]",
    "#x",
    "~x",
    "..x",
    "%s%n",
    "ünï-日本-😀",
    "x.ini",
    "__proto__",
    "ä".repeat(118),
  ].filter((name) => !name.startsWith("."))) {
    it(`runs a job with the name ${JSON.stringify(name.slice(0, 20))}`, async () => {
      project().rename(
        `${name}.ini`,
        '[control]\nexecutable: sh -c \'test -f "$1" && printf "%s\\n" "$FJORD_JOB"\' sh\n',
      );
      expect((await project().ended(name)).outcome).to.deep.equal({ kind: "succeeded" });
      expect(project().log(name)).to.equal(`${name}\n`);
    });
  }

  it("leaves files that can never be jobs unchanged", async () => {
    const names = [
      ".hidden.ini",
      "edited.ini~",
      "#edited.ini#",
      ".edited.ini.swp",
      "x.tmp",
      "x.part",
      "..ini",
    ];
    for (const name of names) project().rename(name, OK);
    project().job("between", "true");
    await project().ended("between");
    for (const name of names) {
      expect(fs.existsSync(project().layout.queued(name)), name).to.equal(true);
      fs.unlinkSync(project().layout.queued(name));
    }
  });

  it("refuses names that would break a line of output", async () => {
    for (const name of ["two\nlines.ini", "carriage\rreturn.ini", "tab\there.ini", "esc\x1b[2J.ini"]) {
      project().rename(name, OK);
      const line = await project().until(`${JSON.stringify(name)} is refused`, () =>
        project()
          .events("refused")
          .find((event) => event.file === name),
      );
      expect(line.reason).to.contain("control character");
      await project().until("the file has been moved", () => project().files.failed.includes(name));
    }
    expect(dispatcher.stdout).not.to.contain("\x1b[2J");
    expect(dispatcher.stdout).to.contain("two\\nlines.ini");
  });

  it("refuses the longest names that a file system allows, because of their length", async () => {
    const name = `${"x".repeat(251)}.ini`;
    const elsewhere = path.join(project().work, "short");
    fs.writeFileSync(elsewhere, OK);
    fs.renameSync(elsewhere, project().layout.queued(name));
    const line = await project().until("the file is refused", () =>
      project()
        .events("refused")
        .find((event) => event.file === name),
    );
    expect(line.reason).to.contain("255 bytes long").and.to.contain("at most 240");
    await project().until("the file has been moved", () => project().files.failed.includes(name));
  });

  it("runs a job with the longest valid name, with retries and log", async () => {
    const name = "y".repeat(236);
    project().rename(
      `${name}.ini`,
      "[control]\nexecutable: test $FJORD_ATTEMPT = 2 || exit 1;:\nretries: 1\n",
    );
    expect((await project().ended(name)).attempt).to.equal(2);
    expect(project().ends.done).to.include(name);
  });

  it("refuses a name that is not UTF-8", async () => {
    const raw = Buffer.concat([
      Buffer.from(`${project().layout.jobqueue}/latin-`),
      Buffer.from([0xe9]),
      Buffer.from(".ini"),
    ]);
    fs.writeFileSync(raw, OK);
    const line = await project().until("the file is refused", () =>
      project()
        .events("refused")
        .find((event) => event.file.startsWith("latin-_.ini")),
    );
    expect(line.reason).to.contain("not valid UTF-8");
    await project().until("the file has been moved", () => !fs.existsSync(raw));
    expect(project().files.failed).to.include(line.file);
  });

  it("refuses a directory whose name is not UTF-8, and names it", async () => {
    const directory = Buffer.concat([Buffer.from(`${project().work}/ü`), Buffer.from([0xff, 0x0a])]);
    fs.mkdirSync(directory);
    const before = project().list(project().work);
    for (const [name, ...args] of [
      ["recruiter", "hire", "1"],
      ["worker"],
      ["fjord", "run", "--", "true"],
      ["dispatcher", "--project", "./new"],
    ] as const) {
      // A shell enters the directory, because Node cannot start a process there.
      const words = ["-c", 'cd ü*; exec "$@"', "sh", process.execPath, binary(name), ...args];
      const { exitCode, stderr } = await project().startProgram("sh", words).end;
      expect(stderr).to.match(/directory ".*\/work\/ü\\xff\\n(?:\/new)?" has a name that is not valid UTF-8/);
      expect(exitCode, name).to.equal(2);
    }
    expect(project().list(project().work)).to.deep.equal(before);
    fs.rmdirSync(directory);
  });

  it("refuses a symbolic link to any target", async () => {
    const target = path.join(project().work, "target.ini");
    fs.writeFileSync(target, OK);
    fs.symlinkSync(target, project().layout.queued("link.ini"));
    fs.symlinkSync("/nowhere/at/all", project().layout.queued("dangling.ini"));
    fs.symlinkSync("loop.ini", project().layout.queued("loop.ini"));
    fs.symlinkSync("/dev/zero", project().layout.queued("endless.ini"));
    for (const name of ["link", "dangling", "loop", "endless"]) {
      await refused(`${name}.ini`, `${name}.ini: is a symbolic link`);
    }
    expect(fs.readFileSync(target, "utf8")).to.equal(OK);
  });

  it("refuses a directory with all its files", async () => {
    const inside = path.join(project().layout.queued("directory.ini"), "sub");
    fs.mkdirSync(inside, { recursive: true });
    fs.writeFileSync(path.join(inside, "job.ini"), OK);
    await refused("directory.ini", "directory.ini: is a directory");
    expect(
      fs.readFileSync(path.join(project().layout.ended("jobfailed", "directory.ini"), "sub/job.ini"), "utf8"),
    ).to.equal(OK);
    fs.mkdirSync(project().layout.queued("directory.ini"));
    await project().until(
      "another directory of the same name is refused, too",
      () => !fs.existsSync(project().layout.queued("directory.ini")),
    );
  });

  it("does not block on a named pipe or a socket", async () => {
    await execa("mkfifo", [project().layout.queued("pipe.ini")]);
    await refused("pipe.ini", "pipe.ini: is not a regular file");
    const server = project().startProgram(process.execPath, [
      "-e",
      `require("node:net").createServer().listen(${JSON.stringify(project().layout.queued("socket.ini"))}, () => console.log("listens"))`,
    ]);
    await server.said("listens");
    await refused("socket.ini", "socket.ini: is a socket or device");
    server.kill("SIGKILL");
  });

  it("refuses a second file whose name was refused before", async () => {
    for (const text of ["one", "two"]) {
      project().rename("again.ini", text);
      await project().until(
        "the file is refused",
        () => !fs.existsSync(project().layout.queued("again.ini")),
      );
    }
    expect(project().events("refused", "again")).to.have.length(2);
  });

  it("is no longer reported when it was repaired", async () => {
    const { layout } = project();
    for (const name of ["mended", "stays wrong"]) {
      project().rename(`${name}.ini`, "[control]\n");
      await project().until("the file is refused", () => project().ends.failed.includes(name));
      expect(fs.existsSync(layout.refusalLog(name))).to.equal(true);
    }
    fs.renameSync(layout.ended("jobfailed", "mended.ini"), path.join(project().work, "mended.ini"));
    project().rename("mended.ini", OK);
    expect((await project().ended("mended")).outcome.kind).to.equal("succeeded");
    expect(fs.existsSync(layout.refusalLog("mended"))).to.equal(false);
    expect(fs.existsSync(layout.refusalLog("stays wrong"))).to.equal(true);
    expect(project().events("refused", "mended")).to.have.length(1);
  });
});

describe("a file that is being written", () => {
  // The settle time is shorter than any pause of the writers below.
  const project = projectPerTest("[fjord]\nsettle = 0.2 s\npoll = 0.2 s\n");

  it("is not a job before its writer has closed it, even if the writer pauses for long", async function () {
    if (process.platform !== "linux") skip(this, "only /proc tells who writes a file");
    const orders = path.join(project().root, "orders");
    await execa("mkfifo", [orders]);
    await project().hire(1);
    const dispatcher = project().start("dispatcher", ["--stay"]);
    const file = project().layout.queued("slow.ini");
    const writer = project().startProgram("sh", ["-c", `exec 3<'${orders}' && cat <&3 >'${file}'`]);
    const pen = fs.openSync(orders, "w");
    // The file is empty, then a job that is complete by itself, then a longer job.
    for (const text of ["", "[control]\nexecutable = echo half\n", "  echo whole;:\n"]) {
      fs.writeSync(pen, text);
      await project().until("the text is written and the file has rested for long", () => {
        const { size, ctimeMs } = fs.statSync(file, { throwIfNoEntry: false }) ?? {
          size: -1,
          ctimeMs: Date.now(),
        };
        return size >= text.length && Date.now() - ctimeMs > 600;
      });
      const name = `beside${text.length}`;
      project().job(name, "true");
      await project().ended(name);
      expect(project().events("started", "slow"), "it was started").to.deep.equal([]);
      expect(project().events("refused"), "it was refused").to.deep.equal([]);
    }
    fs.closeSync(pen);
    await writer.end;
    await project().ended("slow");
    expect(project().log("slow")).to.equal("half\nwhole\n");
    dispatcher.kill("SIGTERM");
  });
});

describe("foreign files in the other directories", () => {
  const project = projectPerTest(
    "[fjord]\nbeat = 0.2 s\nlost_after = 3\npoll = 0.2 s\nretry_backoff = 0.1 s\n",
  );

  it("disturb no process, and stay where they are", async () => {
    const { layout } = project();
    await project().hire(1);
    const dirs = [
      "workerqueue",
      "jobpod",
      "jobpod/retry",
      "ledger",
      "jobdone",
      "jobfailed",
      "joblogs",
      "daemonlogs",
      "",
    ];
    const foreign = dirs.map((dir) =>
      path.join(layout.root, dir, dir === "jobpod/retry" ? ".README" : "README"),
    );
    foreign.push(path.join(layout.workerqueue, "notes.ini"), path.join(layout.ledger, "mine.jsonl"));
    for (const file of foreign) fs.writeFileSync(file, "mine\n");
    const job = await project().remoteJob("long", { priority: "1" });
    project().job("retried", "test $FJORD_ATTEMPT = 2 || exit 1;:", { retries: "1" });
    const dispatcher = project().start("dispatcher");
    await job.started();
    // A second worker is stopped until the dispatcher declares it lost. In that time, the daemons have also seen the
    // foreign files.
    await project().hire(1);
    const second = project().events("hired").at(-1);
    process.kill(second?.pid ?? 0, "SIGSTOP");
    try {
      await dispatcher.said(`Lost ${second?.worker}: its heartbeat has not moved`);
    } finally {
      process.kill(second?.pid ?? 0, "SIGKILL");
    }
    job.exit(0);
    const { exitCode, stdout } = await dispatcher.end;
    expect(exitCode).to.equal(0);
    expect(stdout).not.to.contain("Trouble");
    expect(stdout).not.to.contain("README").and.not.to.contain("notes");
    for (const file of foreign) expect(fs.existsSync(file), file).to.equal(true);
    const { stdout: fired } = await project().run("recruiter", ["fire"]);
    expect(fired).to.contain("Fired 1 worker in");
    for (const file of foreign) expect(fs.existsSync(file), file).to.equal(true);
  });
});

describe("files of other users", () => {
  const NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups"];
  const project = projectPerTest();

  before(async function () {
    if (process.getuid?.() !== 0) skip(this, "only root can run the daemons as another user");
    const look = [...NOBODY, process.execPath, binary("fjord"), "--version"];
    const { failed, stderr, shortMessage } = await execa("setpriv", look, { reject: false, cwd: "/" });
    if (failed) skip(this, `another user cannot run ${PACKAGE}: ${stderr || shortMessage}`);
  });

  beforeEach(async () => {
    await execa("chown", ["-R", "65534:65534", project().root]);
  });

  function asNobody(name: "recruiter" | "dispatcher", ...args: string[]): RunningCommand {
    return project().startProgram("setpriv", [...NOBODY, process.execPath, binary(name), ...args]);
  }

  it("are refused when they cannot be read, and run when they can", async () => {
    project().rename("secret.ini", OK, 0o600);
    project().rename("public.ini", OK, 0o644);
    expect((await asNobody("recruiter", "hire", "1").end).exitCode).to.equal(0);
    const { exitCode, stdout } = await asNobody("dispatcher").end;
    expect(exitCode).to.equal(1);
    expect(stdout).to.contain("Refused: secret.ini: cannot be read: permission denied");
    expect(project().ends).to.deep.equal({ done: ["public"], failed: ["secret"] });
    expect(project().events("refused", "secret")).to.have.length(1);
  });

  it("cause a message that the directory cannot be a project when the project itself cannot be written", async () => {
    fs.chownSync(project().directory, 0, 0);
    fs.rmSync(project().layout.ledger, { recursive: true });
    const { exitCode, stderr } = await asNobody("dispatcher").end;
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain(`${project().directory} cannot be a project: `).and.to.contain("--project");
  });
});
