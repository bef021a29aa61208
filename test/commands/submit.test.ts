import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { projectPerTest, sharedProject } from "../rig/with-project.js";

const PRINT_ARGV = "process.stdout.write(JSON.stringify(process.argv.slice(2)))";

describe("fjord submit -- COMMAND", () => {
  const project = sharedProject();
  const submit = (...args: string[]) => project().run("fjord", ["submit", ...args]);
  const printed = (job: string) => JSON.parse(project().log(job)) as unknown;

  before(async () => {
    project().env.LOST = "\uFFFD"; // Node decodes any byte that is not UTF-8 to this character.
    fs.writeFileSync(path.join(project().work, "print argv.js"), PRINT_ARGV);
    await project().hire(1);
    await project().start("dispatcher", ["--stay"]).said("Started on");
  });

  // biome-ignore format: a list
  const commands: [what: string, ...words: string[]][] = [
    ["spaces, quotes, variables, patterns and separators", "a b", "it's", '"q"', "$HOME", "*", ";", "&&", "|", ">x", "#", "~", "{a,b}", "!", "`id`", "\\"],
    ["empty words", "", "a", "", ""],
    ["numbers as they are written", "7", "007", "1e3", "0x10", "1.50", "-5"],
    ["options, also fjord's own", "--name", "x", "-h", "--", "--json", "--no-such"],
    ["UTF-8", "é ü", "日本", "\u00a0", "🙂"],
    ["line breaks", "one\ntwo"],
    ["line breaks that an ini file cannot hold", "\n # no comment\n\n", "\t", " x ", "\r\n", "'%\\n"],
  ];
  for (const [what, ...words] of commands) {
    it(`runs the command exactly as given: ${what}`, async () => {
      const name = what.replace(/\W+/g, "-");
      const { exitCode, stdout, stderr } = await submit(
        "--name",
        name,
        "--",
        process.execPath,
        "print argv.js",
        ...words,
      );
      expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
      expect(stdout).to.match(/^\[fjord\] Submitted .*\n\[fjord\] Runs: .*\n$/);
      await project().ended(name);
      expect(printed(name)).to.deep.equal(words);
    });
  }

  const lines: [line: string, prints: string][] = [
    ["echo one && echo two # three", "one\ntwo\n"],
    ['printf "%s," a\\ b "$((1 + 2))"', "a b,3,"],
    ["cat <<END\n  $FJORD_JOB\nEND", "  SELF\n"],
    ["for i in 1 2; do\n  # not a key\n  echo $i\ndone", "1\n2\n"],
  ];
  for (const [line, prints] of lines) {
    it(`takes a single argument with several words as a shell command line: ${JSON.stringify(line)}`, async () => {
      const name = `line ${lines.findIndex(([other]) => other === line)}`;
      expect(await submit("--name", name, "--", line)).to.include({ exitCode: 0, stderr: "" });
      await project().ended(name);
      expect(project().log(name)).to.equal(prints.replace("SELF", name));
    });
  }

  it("runs the command in the directory of the submission, with only the variables that are named", async () => {
    const script = 'pwd; echo "$A|$B|$C|$D|$E"';
    const options = ["--env", "A=x y'$\n#", "-e", "B=", "--export", "C,D", "--name", "env"];
    const sub = path.join(project().work, "sub dir");
    fs.mkdirSync(sub);
    const { exitCode } = await project().run("fjord", ["submit", ...options, "--", "sh", "-c", script], {
      cwd: sub,
      env: { C: "see", D: "dee", E: "secret" },
    });
    expect(exitCode).to.equal(0);
    await project().ended("env");
    expect(project().log("env")).to.equal(`${sub}\nx y'$\n#||see|dee|\n`);
    expect(fs.readFileSync(project().layout.ended("jobdone", "env.ini"), "utf8")).not.to.contain("secret");
  });

  it("exports the variables to every command of a shell command line", async () => {
    await submit("--env", "A=a b", "--name", "exported", "--", "sh -c 'echo \"$A\"'; sh -c 'echo \"$A\"'");
    await project().ended("exported");
    expect(project().log("exported")).to.equal("a b\na b\n");
  });

  it("writes the other options into the job file", async () => {
    const asked = [
      "--priority",
      "-5",
      "--retries",
      "2",
      "--timeout",
      "1h 30m",
      "--nice",
      "3",
      "--logfile",
      "r/x.txt",
    ];
    const { stdout } = await submit(
      "--dry-run",
      "--name",
      "asked",
      ...asked,
      "--workdir",
      "sub",
      "--",
      "make",
      "all",
    );
    expect(stdout).to.equal(
      "# asked.ini\n[control]\nexecutable = make all #\n" +
        `logfile = r/x.txt\nworkdir = ${project().work}/sub\n` +
        "priority = -5\nretries = 2\ntimeout = 1h 30m\nnice = 3\n\n",
    );
    expect(project().files.queued).not.to.contain("asked.ini");
  });

  it("chooses a name by itself", async () => {
    const { stdout } = await submit("--json", "--", "/usr/bin/env", "true");
    const [draft] = JSON.parse(stdout) as { job: string; file: string; runs: string }[];
    expect(draft?.job).to.match(/^env-[a-z0-9]{6}$/);
    expect(draft).to.deep.equal({ job: draft?.job, file: `${draft?.job}.ini`, runs: "/usr/bin/env true" });
  });

  it("prints only the names for scripts, and for an array the name of the array", async () => {
    const sweep = await submit("--parsable", "--name", "parsed", "--param", "n=1,2", "--", "true", "{n}");
    expect(sweep.stdout).to.equal("parsed_1\nparsed_2\n");
    const array = await submit(
      "--parsable",
      "--name",
      "parsed array",
      "--array",
      "1-9",
      "--",
      "true {index}",
    );
    expect(array.stdout).to.equal("parsed array\n");
    const made = await submit("--parsable", "--project", "./new", "--dry-run", "--name", "x", "--", "true");
    expect(made).to.include({ stdout: "x\n", exitCode: 0 });
    expect((await submit("--parsable", "--json", "--", "true")).exitCode).to.equal(2);
  });

  it("waits for the job with --wait, and says how the job ended", async () => {
    const good = await submit("--wait", "--name", "again", "--", "true");
    expect(good.exitCode).to.equal(0);
    expect(good.stdout).to.contain("[fjord] 1 job ended: 1 succeeded, 0 did not.\n");
    // The name is used again, so the last end counts.
    const bad = await submit("--wait", "--name", "again", "--", "exit 3");
    expect(bad.exitCode).to.equal(1);
    expect(bad.stdout).to.contain("[fjord] again: exit code 3\n");
    expect((await submit("--wait", "--name", "again", "--", "true")).exitCode).to.equal(0);
  });

  const refusals: [args: string[], says: string][] = [
    [[], "There is nothing to submit."],
    [["--"], "There is nothing to submit."],
    [["--", ""], "The command is empty."],
    [["--", "  \n"], "The command is empty."],
    [["x.ini", "--", "true"], "Give either job files or a command."],
    [["--name", "a/b", "--", "true"], 'holds a "/"'],
    [["--name", ".x", "--", "true"], '".x" cannot be the name of a job'],
    [["--name", "", "--", "true"], "cannot be the name of a job"],
    [
      ["--timeout", "soon", "--", "true"],
      '[fjord] --timeout: found "soon"; write a duration above 0, such as 90',
    ],
    [["--nice", "99", "--", "true"], '[fjord] --nice: found "99"; write a whole number from -20 to 19.'],
    [
      ["--priority", "high", "--", "true"],
      '[fjord] --priority: found "high"; write a whole number from -2147',
    ],
    [["--env", "A", "--", "true"], '--env: found "A".'],
    [["--env", "1A=x", "--", "true"], '"1A" is not a name for an environment variable.'],
    [
      ["--export", "LOST", "--", "true"],
      'The value of "LOST" is not valid UTF-8, so no job file can hold it.',
    ],
    [["--export", "NO_SUCH_VARIABLE", "--", "true"], '"NO_SUCH_VARIABLE" is not set in this shell.'],
    [["--logfile", " x", "--", "true"], "an ini file cannot hold this"],
    [["--replcae", "--", "true"], "Did you mean --replace?"],
  ];
  for (const [args, says] of refusals) {
    it(`is refused: ${args.join(" ") || "nothing at all"}`, async () => {
      const { exitCode, stdout, stderr } = await submit(...args);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
      expect(stderr).to.contain(says);
    });
  }
});

describe("fjord submit of a missing program or an ambiguous argument", () => {
  const project = sharedProject();
  before(() => fs.writeFileSync(path.join(project().work, "my prog"), "#!/bin/sh\n", { mode: 0o777 }));
  const isLine = (program: string, instead: string) =>
    `[fjord] "${program}" is a program here, but the shell reads it as a command line. Write ${instead}.\n`;
  const isNot = (what: string) =>
    `[fjord] The ${what} is not on this host. If the hosts of the workers lack it, too, the job fails there.\n`;

  for (const [says, ...args] of [
    [isNot('workdir "/no/such"'), "--workdir", "/no/such", "--", "true"],
    [isNot('program "nosuch"'), "--", "nosuch", "x"],
    [isNot('program "./nosuch"'), "--", "./nosuch"],
    ['[fjord] n: "1.." is one value. A range is 1..10.\n', "--param", "n=1..", "--", "echo", "{n}"],
    ["", "--param", "d=/a,/b", "--workdir", "{d}", "--", "true"],
    ["", "--param", "p=true,false", "--", "{p}"],
    ["", "--", "exit", "3"],
    ["", "--", "nosuch | wc"],
    [isLine("./my prog", `"'./my prog'"`), "--", "./my prog"],
  ] as const) {
    it(`warns, except when fjord cannot know: ${args.join(" ")}`, async () => {
      const { exitCode, stderr } = await project().run("fjord", ["submit", ...args]);
      expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: says });
    });
  }
});

describe("fjord submit JOBFILE", () => {
  const project = projectPerTest();
  const submit = (...args: string[]) => project().run("fjord", ["submit", ...args]);
  const queue = () => project().files.queued;
  const read = (file: string) => fs.readFileSync(project().layout.queued(file), "utf8");

  function write(file: string, text = "[control]\nexecutable = true\n", mode = 0o666): void {
    fs.mkdirSync(path.dirname(path.join(project().work, file)), { recursive: true });
    fs.writeFileSync(path.join(project().work, file), text, { mode });
  }

  it("copies job files, scripts and the .ini files of folders into the queue", async () => {
    write("a.ini", "# mine\n[control]\nexecutable = true\n[params]\nx: 1\n");
    write("run.sh", "#!/bin/sh\n", 0o777);
    write("jobs/b c.ini");
    write("jobs/d.ini");
    write("jobs/README", "no job\n");
    write("jobs/.e.ini", "no job\n");
    write("jobs/below/f.ini", "no job\n");
    const { exitCode, stdout, stderr } = await submit("a.ini", "run.sh", "jobs");
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
    expect(stdout).to.equal("[fjord] Submitted 4 jobs: a, run.sh, b c, d.\n");
    expect(queue()).to.deep.equal(["a.ini", "b c.ini", "d.ini", "run.sh"]);
    expect(read("a.ini")).to.equal("# mine\n[control]\nexecutable = true\n[params]\nx: 1\n");
    expect(fs.statSync(project().layout.queued("run.sh")).mode & 0o100).to.equal(0o100);
    expect(project().list(project().work)).to.contain("a.ini");
  });

  it("changes only the given keys, and the name", async () => {
    write("a.ini", "# mine\n[control]\nexecutable = run\n  it\nretries: 1\n\n[params]\nretries = 9\n");
    expect(await submit("a.ini", "--name", "b", "--retries", "3", "--env", "A=x y")).to.include({
      exitCode: 0,
    });
    expect(read("b.ini")).to.equal(
      "# mine\n[control]\nexecutable = export A='x y'; run\n\tit\nretries = 3\n\n[params]\nretries = 9\n",
    );
  });

  it("reports all errors in all files, and submits none of the files", async () => {
    write("good.ini");
    write("bad.ini", "[control]\nexecutabel = x\n");
    write("plain.sh", "#!/bin/sh\n");
    write("other/good.ini");
    const { exitCode, stdout, stderr } = await submit("good.ini", "bad.ini", "plain.sh", "gone.ini", "other");
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
    expect(stderr)
      .to.contain('did you mean "executable"?')
      .and.to.contain("chmod +x it")
      .and.to.contain('"gone.ini" cannot be read')
      .and.to.contain('Two of the files have the job name "good".')
      .and.to.contain("Nothing was submitted");
    expect(queue()).to.deep.equal([]);
  });

  it("refuses one name for several files, keys for a script, and a folder without job files", async () => {
    write("a.ini");
    write("b.ini");
    write("run.sh", "#!/bin/sh\n", 0o777);
    fs.mkdirSync(path.join(project().work, "empty"));
    expect((await submit("a.ini", "b.ini", "--name", "x")).stderr).to.contain(
      "--name names one job, but these are 2.",
    );
    expect((await submit("run.sh", "--retries", "1")).stderr).to.contain(
      "run.sh is a script, and a script has no keys",
    );
    expect((await submit("empty")).stderr).to.contain('There is no .ini file in "empty".');
    expect(queue()).to.deep.equal([]);
  });

  it("says that a command needs -- before it when none of the words is a file", async () => {
    expect(await submit("--name", "hey", "echo", "a b")).to.include({
      exitCode: 2,
      stderr:
        "[fjord] None of these is a file: echo, a b.\n" +
        "[fjord] Write a command after --: fjord submit -- echo 'a b'\n",
    });
    const { stderr } = await project().run("fjord", ["run", "-j", "1", "echo hi"]);
    expect(stderr).to.equal(
      "[fjord] There is no file \"echo hi\".\n[fjord] Write a command after --: fjord run -- 'echo hi'\n",
    );
    expect(queue()).to.deep.equal([]);
  });

  it("refuses a name that waits already, unless --replace is given", async () => {
    for (const name of ["a", "b"]) write(`${name}.ini`);
    expect((await submit("a.ini")).exitCode).to.equal(0);
    const again = await submit("b.ini", "a.ini");
    expect(again.exitCode).to.equal(2);
    expect(again.stderr).to.contain('A job "a" waits already.').and.to.contain("--replace");
    expect(queue()).to.deep.equal(["a.ini"]);
    expect((await submit("a.ini", "--retries", "7", "--replace")).stdout).to.equal("[fjord] Submitted a.\n");
    expect(read("a.ini")).to.contain("retries = 7");
  });

  it("replaces a job's old file of another kind, and a job that waits for its retry", async () => {
    fs.writeFileSync(project().layout.queued("a"), "#!/bin/sh\n", { mode: 0o777 });
    fs.writeFileSync(project().layout.toRetry("b.ini"), "[control]\nexecutable = false\n");
    for (const name of ["a", "b"]) write(`${name}.ini`);
    expect((await submit("a.ini")).exitCode).to.equal(2);
    expect((await submit("a.ini", "b.ini", "--replace")).exitCode).to.equal(0);
    expect(queue()).to.deep.equal(["a.ini", "b.ini"]);
    expect(project().files.retrying).to.deep.equal([]);
  });

  it("lets a running job end before its replacement begins", async () => {
    const job = await project().remoteJob("a");
    await project().hire(1);
    project().start("dispatcher", ["--stay"]);
    await job.started();
    write("a.ini", "[control]\nexecutable = echo new\n");
    const refused = await submit("a.ini");
    expect(refused.exitCode).to.equal(2);
    expect(refused.stderr).to.contain('A job "a" runs now.');
    const { exitCode, stdout } = await submit("a.ini", "--replace");
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain(
      "[fjord] An earlier job with the same name is on a worker's desk and comes first: a.\n",
    );
    job.exit(0);
    await project().until("the new job has ended", () => project().events("ended", "a")[1]);
    expect(project().log("a", 2)).to.match(/^new /);
  });

  it("creates the project, but not for a --dry-run", async () => {
    const env = { FJORD_PROJECT: "new" };
    write("a.ini");
    const { exitCode, stdout } = await project().run("fjord", ["submit", "--dry-run", "a.ini"], { env });
    expect({ exitCode, stdout }).to.deep.equal({
      exitCode: 0,
      stdout: "# a.ini\n[control]\nexecutable = true\n\n",
    });
    expect(project().list(project().home)).to.deep.equal(["test"]);
    expect((await project().run("fjord", ["submit", "a.ini"], { env })).exitCode).to.equal(0);
    expect(project().list(path.join(project().home, "new", "jobqueue"))).to.deep.equal(["a.ini"]);
  });
});

describe("fjord submit --after", () => {
  const project = projectPerTest();
  const submit = (...args: string[]) => project().run("fjord", ["submit", ...args]);
  const waitsFor = (job: string) =>
    /^after = (.*)$/m.exec(fs.readFileSync(project().layout.queued(`${job}.ini`), "utf8"))?.[1];

  it("records the jobs that exist at this moment, by name or pattern, with the outcomes that they may have", async () => {
    for (const job of ["a", "run1", "run2", "run10"]) project().job(job, "true");
    fs.writeFileSync(project().layout.ended("jobfailed", "old.ini"), "[control]\nexecutable = false\n");
    await submit("--name", "one", "--after", "a.ini", "--", "true");
    expect(waitsFor("one")).to.equal("a");
    await submit(
      "--name",
      "many",
      "--after",
      "run{1..2}",
      "--after",
      "a:any",
      "--after",
      "old:ok",
      "--",
      "true",
    );
    expect(waitsFor("many")).to.equal("run1, run2, a:any, old");
    expect((await submit("--name", "old", "--after", "a", "--after", "old", "--", "true")).stderr).to.match(
      /^\[fjord\] "old" is to run after itself, so it would wait forever\.$/m,
    );
    await submit("--name", "all", "--after", "run*:any", "--", "true");
    expect(waitsFor("all")?.split(", ")).to.have.members(["run1:any", "run10:any", "run2:any"]);
  });

  it("is written into job files, and into each of many jobs", async () => {
    project().job("a", "true");
    fs.writeFileSync(path.join(project().work, "f.ini"), "[control]\nexecutable = true\nafter = x\n");
    await submit("f.ini", "--after", "a");
    expect(waitsFor("f")).to.equal("a");
    await submit("--name", "s", "--param", "n=1,2", "--after", "a", "--", "true");
    expect([waitsFor("s_1"), waitsFor("s_2")]).to.deep.equal(["a", "a"]);
  });

  it("begins the job when the other jobs have ended", async () => {
    const first = await project().remoteJob("first");
    await submit("--name", "second", "--after", "first", "--", "true");
    await project().hire(2);
    const dispatcher = project().start("dispatcher");
    await first.started();
    await project().until("the dispatcher has seen the second job", async () =>
      (await project().run("fjord", ["status"])).stdout.includes("1 waiting, 1 running"),
    );
    expect(project().events("started", "second")).to.deep.equal([]);
    first.exit(0);
    expect((await dispatcher.end).exitCode).to.equal(0);
    expect(project().ends.done).to.deep.equal(["first", "second"]);
  });

  it("requires jobs that exist, with names that can be written", async () => {
    project().job("prepare", "true");
    project().job("x,y", "true");
    for (const [word, exitCode, says] of [
      ["prepar", 3, 'There is no job "prepar"'],
      ["no*", 3, "no*"],
      ["prepare,x", 2, '--after: found "prepare,x".'],
      ["", 2, '--after: found "".'],
      [":any", 2, '--after: found ":any".'],
      ["x*", 2, 'No job can wait for "x,y": its name holds a comma.'],
    ] as const) {
      const end = await submit("--name", "late", "--after", word, "--", "true");
      expect(end, word).to.include({ exitCode, stdout: "" });
      expect(end.stderr).to.contain(says);
    }
    const nowhere = await submit("--project", "new", "--after", "prepare", "--", "true");
    expect(nowhere).to.include({ exitCode: 3, stdout: "" });
    expect(project().list(project().home)).to.deep.equal(["test"]);
    expect(project().files.queued).to.deep.equal(["prepare.ini", "x,y.ini"]);
  });
});
