import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { parseIni } from "../../src/job/ini-dialect.js";
import { readJob } from "../../src/job/job.js";
import { projectPerTest, sharedProject } from "../rig/with-project.js";

describe("many jobs at once", () => {
  const project = projectPerTest();
  const submit = (args: readonly string[], input?: string) =>
    project().run("fjord", ["submit", ...args], input === undefined ? {} : { input });
  const queue = () => project().files.queued;
  const write = (file: string, text: string, mode = 0o666) =>
    fs.writeFileSync(path.join(project().work, file), text, { mode });

  beforeEach(() => {
    for (const program of ["train", "run"]) write(program, "#!/bin/sh\n", 0o777);
  });

  /** Command and parameters of each job in the queue, by name. */
  function queued(): Record<string, { runs: string; params: Record<string, string> }> {
    const entries = queue().map((file) => {
      const content = fs.readFileSync(project().layout.queued(file));
      const reading = readJob(file, content, false);
      const ini = parseIni(content);
      if (!reading.ok || !ini.ok) throw new Error(`${file} cannot be read`);
      const params = Object.fromEntries(ini.sections.get("params") ?? []);
      return [file.replace(/\.ini$/, ""), { runs: reading.job.executable, params }] as const;
    });
    return Object.fromEntries(entries);
  }

  async function submitted(args: readonly string[], input?: string): Promise<string> {
    const { exitCode, stdout, stderr } = await submit(args, input);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
    return stdout;
  }

  it("are made of all combinations of parameters, or of pairs with --zip", async () => {
    const params = ["--param", "lr=0.1,0.01", "--param", "seed=1..2"];
    const stdout = await submitted(["--name", "t", ...params, "--", "./train", "--lr={lr}", "{seed}", "{x}"]);
    expect(stdout).to.equal(
      "[fjord] Submitted 4 jobs: t_1, t_2, t_3, t_4.\n" +
        "[fjord] The first runs: ./train --lr=0.1 1 '{x}'\n" +
        "[fjord] The last runs: ./train --lr=0.01 2 '{x}'\n",
    );
    expect(queued().t_3).to.deep.equal({
      runs: "./train --lr=0.01 1 '{x}' #",
      params: { index: "3", lr: "0.01", seed: "1" },
    });
    await submitted(["--name", "z", ...params, "--zip", "--", "true"]);
    expect(Object.keys(queued())).to.deep.equal(["t_1", "t_2", "t_3", "t_4", "z_1", "z_2"]);
    expect(queued().z_2?.params).to.deep.equal({ index: "2", lr: "0.01", seed: "2" });
  });

  it("are submitted with a warning when braces look like a slip", async () => {
    const of = async (...args: string[]) => {
      const { exitCode, stderr } = await submit(args);
      expect(exitCode).to.equal(0);
      return stderr;
    };
    const said = "[fjord] {alhpa} is not a value and stays as it is. Did you mean {alpha}?\n";
    expect(await of("--param", "alpha=1,2", "--", "./run", "{alhpa}")).to.equal(said);
    write("t.ini", "[control]\nexecutable = ./run {alhpa}\nlogfile = {alpha}.txt\n");
    expect(await of("--param", "alpha=1,2", "t.ini")).to.equal(said);
    const wished = [
      "--name",
      "w",
      "--param",
      "alpha=1,2",
      "--logfile",
      "{alhpa}.txt",
      "--",
      "./run",
      "{alpha}",
    ];
    const shared =
      `[fjord] 2 jobs share a logfile: "w_1" and "w_2" have "${project().work}/{alhpa}.txt". ` +
      "Each of them overwrites the results of another. Put {alpha} into the name of the logfile.\n";
    expect(await of(...wished)).to.equal(said + shared);
    expect(await of("--", "gzip", "{}", ":::", "a", "b")).to.contain("] ::: is a word of the command here.");
    expect(await of("--", "find", ".", "-exec", "ls", "{}", "+")).to.equal("");
    expect(queue()).to.have.length(8);
    const run = await project().run("fjord", ["run", "--dry-run", "--", "gzip", "{}"]);
    expect(run).to.include({ exitCode: 0, stdout: "gzip '{}'\n" });
    expect(run.stderr).to.contain("[fjord] {} stays as it is. ");
    const table = ["run", "--dry-run", "--json", "--results", "{alhpa}.txt"];
    const both = await project().run("fjord", [...table, ...wished]);
    expect(both.stderr).to.equal(
      `${said}${shared}[fjord] The table of --results overwrites the logfile of "w_1", which is the same file.\n`,
    );
    expect(JSON.parse(both.stdout)).to.have.length(2);
  });

  it("are made of the lines of a file or of standard input, each a value for the command", async () => {
    const lines = "a b.csv\n\n  it's.csv\r\n$HOME\n";
    await submitted(["--name", "fit", "--each-line", "-", "--", './fit {line} > "out/{line}"'], lines);
    expect(Object.values(queued()).map(({ runs }) => runs)).to.deep.equal([
      `./fit 'a b.csv' > "out/a b.csv" #`,
      `./fit 'it'\\''s.csv' > "out/it's.csv" #`,
      `./fit '$HOME' > "out/\\$HOME" #`,
    ]);
    expect(queued().fit_2?.params).to.deep.equal({ index: "2", line: "it's.csv" });
  });

  it("are made of lines that are command lines themselves", async () => {
    write("lines", "echo 'a b' && true\nmake\n");
    await submitted(["--name", "l", "--each-line", "lines"]);
    expect(Object.values(queued()).map(({ runs }) => runs)).to.deep.equal(["echo 'a b' && true #", "make #"]);
  });

  it("are made of the objects of a JSON file", async () => {
    const objects = [
      { lr: 0.1, Note: "x y", tags: ["a"], on: true, nothing: null },
      { lr: 2, Note: "two\nlines", tags: [], on: false, nothing: "" },
    ];
    write("p.json", JSON.stringify(objects));
    await submitted(["--name", "j-{index}", "--from-json", "p.json", "--", "./run", "{Note}", "{tags}"]);
    expect(queued()).to.deep.equal({
      "j-1": {
        runs: `./run 'x y' '["a"]' #`,
        params: { index: "1", lr: "0.1", note: "x y", tags: '["a"]', on: "true", nothing: "" },
      },
      "j-2": {
        runs: "./run 'two\nlines' '[]' #",
        params: { index: "2", lr: "2", note: "two\nlines", tags: "[]", on: "false", nothing: "" },
      },
    });
  });

  it("are made as often as --repeat says, for each combination", async () => {
    await submitted(["--name", "r", "--repeat", "2", "--param", "x=a,b", "--", "./run", "{x}", "{index}"]);
    expect(Object.values(queued()).map(({ runs }) => runs)).to.deep.equal([
      "./run a 1 #",
      "./run a 2 #",
      "./run b 3 #",
      "./run b 4 #",
    ]);
  });

  it("are made by fjd's options --exe and --parameters", async () => {
    await submitted(["--name", "named", "--exe", "cmd $2 --a=$1 $3", "--parameters", "a b#b,c#d"]);
    await submitted(["--name", "behind", "--exe", "cmd -x", "--parameters", "a b#b,c"]);
    await submitted(["--name", "one", "--exe", "cmd", "--parameters", "x"]);
    await submitted(["--name", "same", "--exe", "cmd; cmd", "--repeat", "2"]);
    await submitted(["--name", "alone", "--exe", "cmd; cmd"]);
    expect(Object.entries(queued()).map(([name, { runs }]) => [name, runs])).to.deep.equal([
      ["alone", "cmd; cmd #"],
      ["behind_1", "cmd -x 'a b' b #"],
      ["behind_2", "cmd -x c #"],
      ["named_1", "cmd b --a='a b' $3 #"],
      ["named_2", "cmd d --a=c $3 #"],
      ["one_1", "cmd x #"],
      ["same_1", "cmd; cmd #"],
      ["same_2", "cmd; cmd #"],
    ]);
    expect(queued().named_1?.params).to.deep.equal({ index: "1", param1: "a b", param2: "b" });
  });

  it("are made of job files: fjord fills the placeholders, sets the values, and keeps the rest", async () => {
    write(
      "t.ini",
      "# mine\n[control]\nexecutable = run {lr} x\nlogfile = r/{lr}.txt\nretries=1\n\n[params]\nfoo = {lr}\nLR = 7\n",
    );
    write("u.ini", "[control]\nexecutable = run\n");
    await submitted(["--param", "lr=a b,c", "--priority", "7", "t.ini", "u.ini"]);
    expect(queue()).to.deep.equal(["t_1.ini", "t_2.ini", "u_1.ini", "u_2.ini"]);
    expect(fs.readFileSync(project().layout.queued("t_1.ini"), "utf8")).to.equal(
      "# mine\n[control]\nexecutable = run 'a b' x\nlogfile = r/a b.txt\npriority = 7\nretries=1\n\n" +
        "[params]\nindex = 1\nlr = a b\nfoo = {lr}\n",
    );
    expect(fs.readFileSync(project().layout.queued("u_2.ini"), "utf8")).to.equal(
      "[control]\npriority = 7\nexecutable = run\n\n[params]\nindex = 2\nlr = c\n",
    );
  });

  it("may have placeholders in name, logfile, workdir and environment", async () => {
    const options = ["--name", "n {x}", "--logfile", "r/{x}.txt", "--workdir", "w{x}", "--env", "X=is {x}"];
    await submitted([...options, "--param", "x=1..2", "--", "./run"]);
    expect(fs.readFileSync(project().layout.queued("n 2.ini"), "utf8")).to.equal(
      `[control]\nexecutable = export X='is 2'; ./run #\nlogfile = r/2.txt\nworkdir = ${project().work}/w2\n\n` +
        "[params]\nindex = 2\nx = 2\n",
    );
  });

  it("are shown with --dry-run, and all are checked before the first is submitted", async () => {
    const stdout = await submitted(["--dry-run", "--name", "d", "--repeat", "2", "--", "true"]);
    expect(stdout.match(/^# d_\d\.ini$/gm)).to.deep.equal(["# d_1.ini", "# d_2.ini"]);
    project().job("d_2", "true");
    const refused = await submit(["--name", "d", "--repeat", "3", "--", "true"]);
    expect(refused.exitCode).to.equal(2);
    expect(refused.stderr).to.contain('A job "d_2" waits already.');
    expect(queue()).to.deep.equal(["d_2.ini"]);
  });

  const refusals: [args: string[], says: string, input?: string][] = [
    [
      ["--name", "x{a}", "--param", "a=1..2", "--param", "b=1..2", "--", "true"],
      'Two of the jobs would be called "x1".',
    ],
    [["--name", "x{a}", "--param", "a=u/v", "--", "true"], 'Element 1: the file name "xu/v.ini" holds a "/"'],
    [["--timeout", "{a}", "--param", "a=1", "--", "true"], 'found "{a}"; write a duration'],
    [["--param", "lr", "--", "true"], '--param: found "lr".'],
    [
      ["--zip", "--param", "a=1..2", "--param", "b=1", "--", "true"],
      "--param a has 2 values and --param b 1.",
    ],
    [["--param", "a=1..1000", "--param", "b=1..1001", "--", "true"], "1001000 jobs"],
    [["--repeat", "0", "--", "true"], '--repeat: found "0".'],
    [["--each-line", "no such file", "--", "true"], '"no such file" cannot be read'],
    [["--each-line", "-", "--", "true"], "--each-line - has no values.", "\n\n"],
    [["--from-json", "-", "--", "true"], "--from-json -: ", "{"],
    [["--from-json", "-", "--", "true"], "is not an array of objects", "{}"],
    [["--from-json", "-", "--", "true"], "element 2 is not an object", '[{"a":1},2]'],
    [["--from-json", "-", "--", "run", "{b}"], 'Element 1: there is no value "b".', '[{"a":1},{"b":2}]'],
    [["--from-json", "-", "--", "true"], "Element 1: section [params], key", '[{"a:b":1}]'],
    [["--parameters", "a,b", "--", "true"], "--parameters needs --exe."],
    [["--exe", "true", "--", "true"], "Give either job files or a command."],
    [["--param", "a=1"], "There is nothing to submit."],
    [["--param", "a=1", "script.sh"], "script.sh is a script"],
  ];
  for (const [args, says, input] of refusals) {
    it(`are refused: ${args.join(" ")}${input === undefined ? "" : ` <<< ${JSON.stringify(input)}`}`, async () => {
      write("script.sh", "#!/bin/sh\n", 0o777);
      const { exitCode, stdout, stderr } = await submit(args, input);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
      expect(stderr).to.contain(says);
      expect(queue()).to.deep.equal([]);
    });
  }

  it("may be thousands", async () => {
    const stdout = await submitted(["--param", "a=0001..2000", "--name", "m", "--", "echo", "{a}"]);
    expect(stdout).to.contain("[fjord] Submitted 2000 jobs: m_1, m_2, m_3, m_4, m_5 and 1995 more.\n");
    expect(queue()).to.have.length(2000);
    expect(queued().m_777?.runs).to.equal("echo 0777 #");
  });
});

describe("an element of a sweep", () => {
  const project = sharedProject();

  it("runs with its values unchanged, whatever characters they contain, and finds them in its job file", async () => {
    const lines = ["a b", "it's", '"q"', "$HOME", "`id`", "*", "; exit 9", "# x", "\\", "é", "{index}"];
    const script = "process.stdout.write(JSON.stringify([process.argv[2], process.env.LINE]))";
    fs.writeFileSync(path.join(project().work, "print.js"), script);
    await project().hire(1);
    const words = ["--env", "LINE={line}", "--", process.execPath, "print.js", "{line}"];
    const submit = ["submit", "--name", "v", "--each-line", "-", "--wait", ...words];
    const waiting = project().start("fjord", submit, { input: lines.join("\n") });
    const { exitCode } = await project().run("dispatcher");
    expect(exitCode).to.equal(0);
    expect((await waiting.end).exitCode).to.equal(0);
    for (const [i, line] of lines.entries()) {
      expect(JSON.parse(project().log(`v_${i + 1}`))).to.deep.equal([line, line]);
      const text = fs.readFileSync(project().layout.ended("jobdone", `v_${i + 1}.ini`), "utf8");
      expect(text).to.contain(`\nline = ${line}\n`);
    }
  });
});
