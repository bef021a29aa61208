import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { Layout } from "../../src/project/layout.js";
import type { Status } from "../../src/report/status.js";
import { type CommandName, PACKAGE } from "../rig/command.js";
import { projectPerTest, sharedProject } from "../rig/with-project.js";

const COMMANDS: CommandName[] = ["recruiter", "dispatcher", "worker", "fjord"];
/** Each command with arguments that do nothing but open the project. */
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
      expect(stdout).to.match(new RegExp(`Examples:\\n +${name}\\b`));
      expect(stdout).to.contain("--project").and.to.contain("FJORD_PROJECT");
      expect((await project().run(name, ["-h"])).stdout).to.equal(stdout);
    });
  }
});

describe("fjord status", () => {
  const project = projectPerTest();

  it("tells where everything stands", async () => {
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
        /^1 waiting, 1 running, 1 done, 1 failed, [01] of 1 workers free, dispatched on \S+$/,
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

  it("is what fjord does when nothing is said", async () => {
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

  it("does not take a dispatcher that was killed for one", async () => {
    const dispatcher = project().start("dispatcher");
    await dispatcher.said("Started on");
    dispatcher.kill("SIGKILL");
    await dispatcher.end;
    expect((await project().run("fjord")).stdout).to.contain("nobody dispatches");
  });

  it("does not mind a reader that has seen enough", async () => {
    const { stdout } = await project().startProgram("bash", [
      "-c",
      `"${process.execPath}" "${PACKAGE}/bin/fjord.js" status | head -n 1; echo "$PIPESTATUS"`,
    ]).end;
    expect(stdout).to.equal(`${project().directory}\n0\n`);
  });

  it("refuses a command that there is not", async () => {
    const { exitCode, stderr } = await project().run("fjord", ["statsu"]);
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain("statsu").and.to.contain("fjord --help");
  });
});

describe("the project", () => {
  const project = projectPerTest();

  for (const [name, args] of LOOKS) {
    it(`of ${name} is a name below FJORD_HOME, or a path`, async () => {
      const status = async (said: string[], env: NodeJS.ProcessEnv = {}) => {
        const { exitCode, stderr } = await project().run(name, [...args, ...said], { env });
        expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
      };
      const isProject = (dir: string) => new Layout(dir).directories().every((each) => fs.existsSync(each));
      await status(["--project", "by-name"]);
      expect(isProject(path.join(project().home, "by-name"))).to.equal(true);
      await status(["--project", "./by path"]);
      expect(isProject(path.join(project().work, "by path"))).to.equal(true);
      await status([`--project=${project().root}/absolute/deep`]);
      expect(isProject(path.join(project().root, "absolute/deep"))).to.equal(true);
      await status([], { FJORD_PROJECT: "by-env" });
      expect(isProject(path.join(project().home, "by-env"))).to.equal(true);
      await status(["--project", "said"], { FJORD_PROJECT: "not-this" });
      expect(fs.existsSync(path.join(project().home, "not-this"))).to.equal(false);
      await status([], { FJORD_PROJECT: "" });
      expect(isProject(path.join(project().home, "default"))).to.equal(true);
    });
  }

  it("is ~/.fjord/default when nothing is said at all", async () => {
    await project().run("fjord", [], { env: { FJORD_PROJECT: undefined, FJORD_HOME: undefined } });
    expect(fs.existsSync(path.join(project().root, "user/.fjord/default/jobqueue"))).to.equal(true);
  });

  for (const name of ["a b", "-x", "a:b", "é", ".hidden"]) {
    it(`cannot be called "${name}"`, async () => {
      await Promise.all(
        LOOKS.map(async ([command, args]) => {
          const { exitCode, stdout, stderr } = await project().run(command, [...args, `--project=${name}`]);
          expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: "" });
          expect(stderr).to.contain(`"${name}" cannot be a project's name.`);
        }),
      );
      expect(project().list(project().home)).to.deep.equal(["test"]);
    });
  }

  it("cannot be a file", async () => {
    fs.writeFileSync(path.join(project().work, "file"), "");
    for (const [command, args] of LOOKS) {
      const { exitCode, stderr } = await project().run(command, [...args, "--project", "./file"]);
      expect(exitCode).to.equal(2);
      expect(stderr).to.contain(`${project().work}/file cannot be a project: `);
    }
  });

  const settings: [text: string, ...named: string[]][] = [
    ["[fjord]\nbeat = soon\n", "[fjord] beat", '"soon" is not a duration, such as 2 s'],
    ["[fjord]\nbaet = 2 s\n", '[fjord]: unknown key "baet"', 'Did you mean "beat"?'],
    ["[fjord]\nlost_after = 0\n", "[fjord] lost_after", '"0" is not a whole number'],
    ["[fjord]\nstore = tape\n", "[fjord] store", "auto, local or network"],
    ["[fjord]\nbeat = 1 s\nnonsense\n", "line 3"],
  ];
  for (const [text, ...named] of settings) {
    it(`is refused with ${JSON.stringify(text)} for settings, naming the place`, async () => {
      fs.writeFileSync(project().layout.settings, text);
      const others: typeof LOOKS = [
        ["recruiter", ["hire", "1"]],
        ["worker", []],
      ];
      await Promise.all(
        [...LOOKS, ...others].map(async ([command, args]) => {
          const { exitCode, stdout, stderr } = await project().run(command, args);
          expect({ exitCode, stdout }, command).to.deep.equal({ exitCode: 2, stdout: "" });
          for (const part of [project().layout.settings, ...named]) expect(stderr).to.contain(part);
        }),
      );
      expect(project().workers).to.deep.equal([]);
    });
  }
});
