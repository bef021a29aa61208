import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { FjordError } from "../../src/job/error.js";
import { Project } from "../../src/library/project.js";
import { Layout } from "../../src/project/layout.js";
import type { Status } from "../../src/report/status.js";
import { type CommandName, PACKAGE } from "../rig/command.js";
import { projectPerTest, sharedProject } from "../rig/with-project.js";

const COMMANDS: CommandName[] = ["recruiter", "dispatcher", "worker", "fjord"];
/** Each command with arguments that only open the project. */
const LOOKS: [CommandName, string[]][] = [
  ["fjord", ["status"]],
  ["recruiter", ["list"]],
  ["dispatcher", ["--status-only"]],
];

describe("every command", () => {
  const project = sharedProject();
  const { version } = JSON.parse(fs.readFileSync(path.join(PACKAGE, "package.json"), "utf8"));

  for (const name of COMMANDS) {
    it(`${name} --version`, async () => {
      const { exitCode, stdout } = await project().run(name, ["--version"]);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 0, stdout: `${version}\n` });
    });

    it(`${name} --help has examples`, async () => {
      const { exitCode, stdout, stderr } = await project().run(name, ["--help"]);
      expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
      expect(stdout).to.match(new RegExp(`Examples:\\n(?: +${name}\\b.*  .*\\n)+(?:\\n|$)`));
      expect(stdout).to.contain("--project").and.to.contain("FJORD_PROJECT");
      expect((await project().run(name, ["-h"])).stdout).to.equal(stdout);
    });
  }
});

describe("the help of a verb", () => {
  const project = sharedProject();
  const same: [CommandName, asked: string[], as: string[]][] = [
    ["fjord", ["help", "retry"], ["retry", "--help"]],
    ["fjord", ["help", "clean", "--older-than", "0"], ["clean", "--help"]],
    ["fjord", ["help"], ["--help"]],
    ["recruiter", ["help", "hire"], ["hire", "--help"]],
  ];
  for (const [name, asked, as] of same) {
    it(`${name} ${asked.join(" ")}`, async () => {
      const help = await project().run(name, asked);
      expect(help).to.deep.equal(await project().run(name, as));
      expect(help.exitCode).to.equal(0);
      expect(help.stdout).to.contain("Options:");
    });
  }
});

describe("an unknown verb, option or argument", () => {
  const project = sharedProject();
  const slips: [CommandName, string[], found: string, meant?: string][] = [
    ["fjord", ["statsu"], "statsu", "status"],
    ["fjord", ["--jsno"], "--jsno", "--json"],
    ["fjord", ["help", "statsu"], "statsu", "status"],
    ["fjord", ["help", "hire"], "hire", "recruiter hire --help"],
    ["recruiter", ["help", "hier"], "hier", "hire"],
    ["fjord", ["status", "--projct", "x"], "--projct", "--project"],
    ["fjord", ["status", "now"], "now"],
    ["fjord", ["status", "test"], "test", "--project test"],
    ["fjord", ["../home/test"], "../home/test", "--project ../home/test"],
    ["worker", ["test", "--project", "test"], "test"],
    ["recruiter", ["list", "test"], "test", "--project test"],
    ["dispatcher", ["test"], "test", "--project test"],
    ["fjord", ["hire", "2"], "hire, 2", "recruiter hire 2"],
    ["fjord", ["recruiter", "list"], "recruiter, list", "recruiter list"],
    ["fjord", ["dispatch"], "dispatch", "dispatcher"],
    ["fjord", ["hire", "--via", "tmux"], "hire, --via", "recruiter hire --via tmux"],
    ["fjord", ["dispatcher", "--stay"], "dispatcher, --stay", "dispatcher --stay"],
    ["recruiter", ["hier", "2"], "hier, 2", "hire"],
    ["recruiter", ["hire", "1", "--vai", "tmux"], "--vai", "--via"],
    ["recruiter", ["hire", "1", "--vai=tmux"], "--vai", "--via"],
    ["recruiter", ["fire", "--noww"], "--noww", "--now"],
    ["recruiter", ["list", "--wiat"], "--wiat"],
    ["dispatcher", ["--status-onyl"], "--status-onyl", "--status-only"],
    ["dispatcher", ["-q"], "-q"],
    ["dispatcher", ["stay"], "stay"],
    ["worker", ["--quite"], "--quite", "--quiet"],
  ];
  for (const [name, args, found, meant] of slips) {
    it(`is refused with the suggestion ${meant ?? "nothing"}: ${name} ${args.join(" ")}`, async () => {
      const { exitCode, stdout, stderr } = await project().run(name, args);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
      const what = `${found.startsWith("-") ? "option" : "argument"}${found.includes(",") ? "s" : ""}`;
      const hint = `${meant === undefined ? "" : `Did you mean ${meant}? `}${name} --help lists the possible words.`;
      expect(stderr).to.equal(`[${name}] Unknown ${what}: ${found}\n[${name}] ${hint}\n`);
    });
  }

  const values: [CommandName, string[], said: string][] = [
    [
      "recruiter",
      ["hire", "1", "--via", "tmux2"],
      '--via: found "tmux2"; it can be detached, tmux, screen.\n[recruiter] Did you mean tmux? ',
    ],
    [
      "fjord",
      ["completion", "tcsh"],
      'Argument shell: found "tcsh"; it can be bash, zsh, fish.\n[fjord] Did you mean bash? ',
    ],
    ["dispatcher", ["--callback"], "--callback needs a value, and none was found.\n"],
    ["worker", ["--id", "--quiet"], "--id needs a value, and none was found.\n"],
  ];
  for (const [name, args, said] of values) {
    it(`is reported in one line when a value is invalid: ${name} ${args.join(" ")}`, async () => {
      const { exitCode, stdout, stderr } = await project().run(name, args);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
      expect(stderr)
        .to.contain(`[${name}] ${said}`)
        .and.to.match(/^.+\n.+ --help lists the possible words\.\n$/);
    });
  }
});

describe("fjord status", () => {
  const project = projectPerTest();

  it("shows the state of all jobs and workers", async () => {
    const job = await project().remoteJob("running", { priority: "1" });
    project().job("good", "true", { priority: "3" });
    project().job("bad", "false", { priority: "2" });
    project().job("waiting", "true");
    const [worker] = await project().hire(1);
    project().start("dispatcher");
    await job.started();
    await project().until("the worker is announced as busy", async () => {
      const { exitCode, stdout } = await project().run("fjord", ["status"]);
      expect(exitCode).to.equal(0);
      const [directory, line] = stdout.split("\n");
      expect(directory).to.equal(project().directory);
      expect(line).to.match(
        /^1 waiting, 1 running, 1 done, 1 failed, [01] of 1 workers free, (?:\S+\/(?:s|min), (?:[^,]+ left, )?)?dispatched on \S+$/,
      );
      return new RegExp(`^${worker} +\\S+ +busy +running +20`, "m").test(stdout);
    });
    const { stdout } = await project().run("fjord", ["status", "--json"]);
    const status = JSON.parse(stdout) as Status;
    expect(status).to.include({
      project: project().directory,
      waiting: 1,
      running: 1,
      done: 1,
      failed: 1,
      cancelled: 0,
    });
    expect(status.workers[0]).to.include({ worker, state: "busy" });
    expect(status.workers[0]?.job?.name).to.equal("running");
    expect(status.dispatcher?.process.pid).to.be.greaterThan(0);
    job.exit(0);
  });

  it("shows the rate, but no remaining time when some jobs take many times as long as others", async () => {
    for (const [name, line] of [
      ["a", "true"],
      ["b", "true"],
      ["c", "true"],
      ["d", "sleep 1 #"],
    ] as const) {
      project().job(name, line, { priority: "1" });
    }
    const job = await project().remoteJob("e");
    await project().hire(1);
    project().start("dispatcher");
    await job.started();
    await project().until("the rate is shown", async () => {
      const { stdout } = await project().run("fjord", ["status"]);
      return /, \S+\/(?:s|min), dispatched on /.test(stdout);
    });
    job.exit(0);
  });

  it("is the default verb of fjord", async () => {
    expect((await project().run("fjord")).stdout).to.equal((await project().run("fjord", ["status"])).stdout);
  });

  it("says what to do next", async () => {
    expect((await project().run("fjord")).stdout).to.contain(
      `Nothing here yet. Put job files into ${project().layout.jobqueue}\n`,
    );
    project().job("a", "true");
    const { stdout } = await project().run("fjord");
    expect(stdout).to.contain("No worker is on duty: recruiter hire\n");
    expect(stdout).to.contain("Nobody dispatches: dispatcher\n");
  });

  it("reports dead workers as dead when no dispatcher removes them", async () => {
    const job = await project().remoteJob("job");
    await project().hire(1);
    const dispatcher = project().start("dispatcher");
    await job.started();
    dispatcher.kill("SIGKILL");
    await dispatcher.end;
    process.kill(project().events("hired")[0]?.pid ?? 0, "SIGKILL");
    const status = async () => (await project().run("fjord")).stdout;
    await project().until("the worker has gone", async () => (await status()).includes(" dead "));
    expect(await status())
      .to.contain("0 of 0 workers free")
      .and.to.contain("All workers are dead: a dispatcher would take back their jobs.\n")
      .and.to.contain("No worker is on duty: recruiter hire\n")
      .and.to.contain("Nobody dispatches: dispatcher\n");
    const { stdout } = await project().run("recruiter", ["list", "--json"]);
    expect(JSON.parse(stdout)).to.have.nested.property("[0].state", "dead");
  });

  for (const [name, typed] of [
    ["sweep", "sweep"],
    ["./my sweep", "'./my sweep'"],
  ] as const) {
    it(`repeats, as all commands do, the project that the user named: --project ${typed}`, async () => {
      const { home, work, env } = project();
      await Project.open(path.resolve(name.includes("/") ? work : home, name), env);
      const run = (command: CommandName, ...args: string[]) =>
        project().run(command, ["--project", name, ...args]);
      expect((await run("recruiter", "list")).stdout).to.contain(`recruiter hire --project ${typed}\n`);
      const refused = [await run("recruiter", "fire", "nobody"), await run("fjord", "show", "nothing")];
      expect(refused[0]?.stderr).to.contain(`] recruiter list --project ${typed} shows the workers`);
      expect(refused[1]?.stderr).to.contain(`] fjord list --project ${typed} shows all`);
      expect((await run("fjord", "submit", "--", "true")).exitCode).to.equal(0);
      const { stdout } = await run("fjord", "status");
      expect(stdout).to.contain(`No worker is on duty: recruiter hire --project ${typed}\n`);
      expect(stdout).to.contain(`Nobody dispatches: dispatcher --project ${typed}\n`);
    });
  }

  it("counts jobs that wait for their next attempt separately", async () => {
    fs.writeFileSync(project().layout.settings, "[fjord]\nretry_backoff = 1 h\n");
    project().job("again", "false", { retries: "1" });
    await project().hire(1);
    const dispatcher = project().start("dispatcher");
    await dispatcher.said("attempt 2 of 2 follows");
    const { stdout } = await project().run("fjord");
    expect(stdout).to.contain("\n0 waiting, 1 retrying, 0 running, 0 done, 0 failed, ");
    const { stdout: json } = await project().run("fjord", ["status", "--json"]);
    expect(JSON.parse(json)).to.include({ waiting: 0, retrying: 1 });
    dispatcher.kill("SIGINT");
    await dispatcher.end;
    expect((await project().run("fjord")).stdout).to.contain("Nobody dispatches: dispatcher\n");
  });

  it("counts a name that was used again once: in its current state, or else in the state of its last end", async () => {
    const put = (...at: string[]) =>
      at.forEach((file) => void fs.writeFileSync(`${project().directory}/${file}`, ""));
    put("jobfailed/a.ini", "jobcancelled/b.ini", "jobdone/c.ini", "jobdone/s", "jobfailed/waits.ini");
    put("jobdone/a.ini", "jobfailed/b.ini", "jobqueue/waits.ini", "jobdone/s.ini");
    const { stdout } = await project().run("fjord");
    expect(stdout).to.contain("\n1 waiting, 0 running, 3 done, 1 failed, 0 of 0 workers free");
    const states = (await project().run("fjord", ["list"])).stdout
      .split("\n")
      .map((line) => line.split(/ +/)[1]);
    expect(states.sort().join(" ").trim()).to.equal("STATE done done done failed waiting");
  });

  it("names the last failed jobs, how each failed, what it printed last, and the command that shows all", async () => {
    project().job("colourful", "printf 'one\\n\\033[31mboom\\n'; exit 3;:");
    project().job("silent", "exec sh -c 'kill -SEGV $$' #", { retries: "1" });
    project().rename("bad.ini", "[control]\n");
    await project().hire(1);
    await project().run("dispatcher");
    const { stdout } = await project().run("fjord", ["--project", "test"]);
    expect(stdout).to.match(/^FAILED +HOW +LAST LINE$/m);
    expect(stdout).to.match(/^colourful +exit code 3 +\\u\{1b\}\[31mboom$/m);
    expect(stdout).to.match(/^silent +killed by SIGSEGV$/m);
    expect(stdout).to.match(/^bad +refused +bad\.ini, line 1, section \[control\]/m);
    expect(stdout).to.contain("\nAll that failed: fjord list --state failed --project test\n");
    const { stdout: json } = await project().run("fjord", ["status", "--json"]);
    const { failures } = JSON.parse(json) as Status;
    expect(failures.map(({ job }) => job)).to.deep.equal(["silent", "colourful", "bad"]);
    expect(failures[1]).to.deep.include({
      outcome: { kind: "failed", code: 3 },
      attempt: 1,
      log: project().layout.attemptLog("colourful", 1),
      lastLine: "\x1b[31mboom",
    });
    expect(failures[0]).to.include({ attempt: 2 }).and.not.to.have.property("lastLine");
  });

  it("does not count a dispatcher that was killed", async () => {
    const dispatcher = project().start("dispatcher");
    await dispatcher.said("Started on");
    dispatcher.kill("SIGKILL");
    await dispatcher.end;
    expect((await project().run("fjord")).stdout).to.contain("nobody dispatches");
  });

  it("ends quietly when the reader has read enough", async () => {
    const { stdout } = await project().startProgram("bash", [
      "-c",
      `"${process.execPath}" "${PACKAGE}/bin/fjord.js" status | head -n 1; echo "$PIPESTATUS"`,
    ]).end;
    expect(stdout).to.equal(`${project().directory}\n0\n`);
  });

  it("is listed in the help", async () => {
    expect((await project().run("fjord", ["--help"])).stdout).to.match(/^Commands:\n +fjord status +show /m);
  });
});

describe("the project", () => {
  const project = projectPerTest();

  const isProject = (dir: string) => new Layout(dir).directories().every((each) => fs.existsSync(each));
  const places: [said: string[], env: NodeJS.ProcessEnv, where: string][] = [
    [["--project", "by-name"], {}, "home/by-name"],
    [["--project", "./by path"], {}, "work/by path"],
    [["--project", "said"], { FJORD_PROJECT: "not-this" }, "home/said"],
    [[], { FJORD_PROJECT: "" }, "home/default"],
    [[], { FJORD_PROJECT: undefined, FJORD_HOME: undefined }, "user/.fjord/default"],
  ];
  for (const [said, env, where] of places) {
    const variables = Object.entries(env).map(([name, value]) => ` ${name}=${value ?? ""}`);
    it(`is, with "${said.join(" ")}"${variables.join("")}, ${where}; the dispatcher makes it, and all commands find it`, async () => {
      const directory = path.join(project().root, where);
      const dispatcher = project().start("dispatcher", said, { env });
      await dispatcher.said(`Started on ${directory}/jobqueue.\n`);
      dispatcher.kill("SIGTERM");
      await dispatcher.end;
      expect(isProject(directory)).to.equal(true);
      expect(fs.existsSync(path.join(project().home, "not-this"))).to.equal(false);
      for (const [name, args] of LOOKS) {
        const { exitCode, stdout, stderr } = await project().run(name, [...args, ...said], { env });
        expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
        if (name !== "dispatcher") expect(stdout).to.contain(directory);
      }
    });
  }

  const looks: typeof LOOKS = [
    ...LOOKS,
    ["fjord", []],
    ["fjord", ["status", "--json"]],
    ["recruiter", ["fire"]],
    ["recruiter", ["fire", "somebody", "--json"]],
    ["dispatcher", ["--status-only", "--json"]],
  ];
  for (const [name, args] of looks) {
    it(`is not made by a command that only looks: "${[name, ...args].join(" ")}" says that there is none`, async () => {
      const { home, work } = project();
      const { exitCode, stdout, stderr } = await project().run(name, [...args, "--project", "tset"]);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
      expect(stderr).to.equal(
        `[${name}] There is no project "tset" yet (${home}/tset).\n` +
          `[${name}] Did you mean "test"? recruiter hire and dispatcher make one.\n`,
      );
      const byPath = await project().run(name, args, { env: { FJORD_PROJECT: "." } });
      expect(byPath).to.include({ exitCode: 2, stdout: "" });
      expect(byPath.stderr).to.contain(`There is no project "." yet (${work}).`).and.not.to.contain("mean");
      expect(project().list(home)).to.deep.equal(["test"]);
      expect(project().list(work)).to.deep.equal([]);
    });
  }

  it("causes no error in a command that only looks, and is not made, when it is the default one and does not exist yet", async () => {
    const env = { FJORD_PROJECT: undefined };
    const directory = path.join(project().home, "default");
    const look = async (name: CommandName, ...args: string[]) => {
      const { exitCode, stdout, stderr } = await project().run(name, args, { env });
      expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
      return stdout;
    };
    expect(await look("fjord"))
      .to.contain(`There is no project here yet (${directory}).\n`)
      .and.to.contain("recruiter hire\n")
      .and.to.contain(`${directory}/jobqueue`);
    expect(await look("recruiter", "list")).to.contain(`Nobody is on duty in project "${directory}".`);
    expect(await look("recruiter", "fire")).to.contain(`Nobody is on duty in project "${directory}".`);
    expect(await look("dispatcher", "--status-only")).to.contain("0 waiting, 0 running, 0 done");
    const nothing = {
      project: directory,
      waiting: 0,
      running: 0,
      done: 0,
      failed: 0,
      cancelled: 0,
      retrying: 0,
      held: 0,
      workers: [],
      failures: [],
    };
    expect(JSON.parse(await look("fjord", "status", "--json"))).to.deep.equal(nothing);
    expect(JSON.parse(await look("dispatcher", "--status-only", "--json"))).to.deep.equal(nothing);
    expect(await look("recruiter", "list", "--json")).to.equal("[]\n");
    expect(await look("recruiter", "fire", "--json")).to.equal("[]\n");
    const { exitCode, stderr } = await project().run("recruiter", ["fire", "somebody"], { env });
    expect(exitCode).to.equal(3);
    expect(stderr).to.contain(`No worker somebody in ${directory}.`);
    expect(project().list(project().home)).to.deep.equal(["test"]);
  });

  const makers: [CommandName, string[]][] = [
    ["recruiter", ["hire", "1"]],
    ["dispatcher", []],
    ["worker", ["--no-quiet"]],
  ];
  for (const [name, args] of makers) {
    it(`is made by ${name}, which reports this once, with a similar name`, async () => {
      const { home, work } = project();
      const said = async (named: string) => {
        const command = project().start(name, [...args, "--project", named]);
        await command.said(/Logs|Started|on duty/);
        command.kill("SIGINT");
        return (await command.end).stdout;
      };
      expect(await said("tset")).to.match(
        new RegExp(
          `^\\[${name}\\] Made the new project "tset" \\(${home}/tset\\)\\. Did you mean "test"\\?\\n`,
        ),
      );
      expect(await said("./elsewhere")).to.contain(
        `[${name}] Made the new project "./elsewhere" (${work}/elsewhere).\n`,
      );
      expect(await said("tset")).not.to.contain("Made");
      await (await Project.open(path.join(work, "elsewhere"), project().env)).fire({ now: true });
    });
  }

  it("is made without a report when it is the default one, or with --json", async () => {
    const env = { FJORD_PROJECT: undefined };
    const { stdout } = await project().run("recruiter", ["hire", "1"], { env });
    expect(stdout).to.match(/^\[recruiter\] Hired 1 worker/);
    const json = await project().run("recruiter", ["hire", "1", "--json", "--project", "new"]);
    expect(JSON.parse(json.stdout)).to.have.length(1);
  });

  it("is made by Project.open, unless the caller sets create to false", async () => {
    const directory = path.join(project().home, "opened");
    const refused = await Project.open("opened", project().env, { create: false }).catch((error) => error);
    expect(refused).to.be.instanceOf(FjordError).with.property("code", "no-such-project");
    expect(fs.existsSync(directory)).to.equal(false);
    await Project.open("opened", project().env);
    expect(isProject(directory)).to.equal(true);
    expect((await Project.open("opened", project().env, { create: false })).directory).to.equal(directory);
  });

  it("cannot have a name with a space", async () => {
    for (const [command, args] of LOOKS) {
      const { exitCode, stdout, stderr } = await project().run(command, [...args, "--project=a b"]);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
      expect(stderr).to.contain('"a b" cannot be a project\'s name.');
    }
    expect(project().list(project().home)).to.deep.equal(["test"]);
  });

  it("cannot be a regular file", async () => {
    fs.writeFileSync(path.join(project().work, "file"), "");
    for (const [command, args] of LOOKS) {
      const { exitCode, stderr } = await project().run(command, [...args, "--project", "./file"]);
      expect(exitCode).to.equal(2);
      expect(stderr).to.contain(`${project().work}/file cannot be a project: `);
    }
  });

  it("is refused by all commands when its settings cannot be read", async () => {
    fs.writeFileSync(project().layout.settings, "[fjord]\nbaet = 2 s\n");
    const others: typeof LOOKS = [
      ["recruiter", ["hire", "1"]],
      ["worker", []],
    ];
    await Promise.all(
      [...LOOKS, ...others].map(async ([command, args]) => {
        const { exitCode, stdout, stderr } = await project().run(command, args);
        expect({ exitCode, stdout }, command).to.deep.equal({ exitCode: 2, stdout: "" });
        for (const part of [project().layout.settings, '[fjord]: unknown key "baet"', 'Did you mean "beat"?'])
          expect(stderr).to.contain(part);
      }),
    );
    expect(project().workers).to.deep.equal([]);
  });
});
