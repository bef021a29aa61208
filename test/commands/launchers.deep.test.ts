import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { isAlive } from "../rig/processes.js";
import { projectPerTest, skip } from "../rig/with-project.js";

interface Hired {
  worker: { worker: string; process: { pid: number } };
  whereabouts: string;
}

for (const tool of [
  { via: "tmux", isThere: ["-V"], list: ["list-sessions", "-F", "#S"], attach: "tmux attach -t" },
  { via: "screen", isThere: ["-v"], list: ["-ls"], attach: "screen -r" },
]) {
  describe(`recruiter hire --via ${tool.via}`, () => {
    const project = projectPerTest();

    async function sessions(): Promise<string> {
      return (await project().startProgram(tool.via, tool.list).end).stdout;
    }

    async function hire(count: number): Promise<Hired[]> {
      const { stdout } = await project().run("recruiter", [
        "hire",
        String(count),
        "--via",
        tool.via,
        "--json",
      ]);
      return JSON.parse(stdout) as Hired[];
    }

    before(async function () {
      const { code } = await execa(tool.via, tool.isThere, { reject: false });
      if (code === "ENOENT") skip(this, `${tool.via} is not installed`);
    });

    it("starts each worker in a session that one can attach to, and that ends with the worker", async () => {
      const hired = await hire(2);
      for (const { worker, whereabouts } of hired) {
        expect(whereabouts).to.equal(`${tool.attach} ${worker.worker}`);
        expect(await sessions()).to.contain(worker.worker);
      }
      const { exitCode } = await project().run("recruiter", ["fire"]);
      expect(exitCode).to.equal(0);
      for (const { worker } of hired) {
        await project().gone(worker.process.pid);
        await project().until(
          "its session has ended",
          async () => !(await sessions()).includes(worker.worker),
        );
      }
    });

    // Only tmux needs a file for the environment.
    if (tool.via === "tmux") {
      it("waits for the workers that it has started when it is stopped, and leaves only those workers behind", async () => {
        const hook = path.join(project().root, "hook.cjs");
        const { begun, go } = {
          begun: path.join(project().root, "begun"),
          go: path.join(project().root, "go"),
        };
        // The worker starts, and waits until the test lets it continue.
        const wait = `fs.writeFileSync(${JSON.stringify(begun)}, ""); while (!fs.existsSync(${JSON.stringify(go)}));`;
        fs.writeFileSync(
          hook,
          `const fs = require("fs"); if (/worker.js$/.test(process.argv[1])) { ${wait} }`,
        );
        const hiring = project().start("recruiter", ["hire", "1", "--via", tool.via], {
          env: { NODE_OPTIONS: `--require=${hook}` },
        });
        await project().until("a worker begins", () => fs.existsSync(begun));
        hiring.kill("SIGINT");
        fs.writeFileSync(go, "");
        const { exitCode, stderr } = await hiring.end;
        expect(exitCode).to.equal(130);
        const [worker] = project().workers;
        expect(stderr).to.equal(
          `[recruiter] Stopped: 1 of 1 worker on duty. Fire them with: recruiter fire ${worker}\n`,
        );
        expect(project().list(project().layout.daemonlogs)).to.deep.equal([`${worker}.log`]);
      });
    }

    it("gives the workers its directory and environment, even when the server of the sessions already runs", async () => {
      await hire(1);
      await project().run("recruiter", ["fire", "--wait"]);
      await hire(1);
      project().job("where", 'echo "$PWD $FJORD_TEST_MARK"; :');
      const { stdout } = await project().run(
        "recruiter",
        ["hire", "1", "--via", tool.via, "--json", "--project", "other"],
        { env: { FJORD_TEST_MARK: "a b 'c'" }, cwd: project().home },
      );
      expect(JSON.parse(stdout)).to.have.length(1);
      await project().run("dispatcher");
      expect(project().log("where")).to.equal(`${project().work} \n`);
      const other = `${project().home}/other`;
      await project().startProgram("mv", [
        project().layout.ended("jobdone", "where.ini"),
        `${other}/jobqueue`,
      ]).end;
      await project().run("dispatcher", ["--project", "other"]);
      const { stdout: log } = await project().startProgram("cat", [`${other}/joblogs/where.1.log`]).end;
      expect(log).to.equal(`${project().home} a b 'c'\n`);
    });

    it("says how to attach to the session", async () => {
      const { stdout } = await project().run("recruiter", ["hire", "1", "--via", tool.via]);
      expect(stdout).to.contain(`[recruiter] ${tool.attach} ${project().workers[0]}\n`);
    });

    it("puts the job of a worker back when the worker loses its session", async () => {
      const job = await project().remoteJob("cut off");
      const [hired] = await hire(1);
      const dispatcher = project().start("dispatcher");
      const pid = await job.started();
      dispatcher.kill("SIGINT");
      await dispatcher.end;
      const id = hired?.worker.worker ?? "";
      await project().startProgram(
        tool.via,
        tool.via === "tmux" ? ["kill-session", "-t", id] : ["-S", id, "-X", "quit"],
      ).end;
      await project().gone(hired?.worker.process.pid ?? 0);
      await project().until("the job has stopped", () => !isAlive(pid));
      expect(project().files.queued).to.deep.equal(["cut off.ini"]);
      expect(project().workers).to.deep.equal([]);
    });
  });
}

describe("a launcher that is not installed", () => {
  const project = projectPerTest();

  it("is named in a message that says what to do", async () => {
    const { exitCode, stderr } = await project().run("recruiter", ["hire", "1", "--via", "tmux"], {
      env: { PATH: project().work },
    });
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain("tmux is not installed on this host.").and.to.contain("--via detached");
  });
});
