import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { behindAssignments, withoutSecrets } from "../../src/job/secrets.js";
import { sized } from "../rig/sized.js";
import { projectPerTest, skip } from "../rig/with-project.js";

const SECRET = "s3cr3t-0123456789";

describe("a command line without its secrets", () => {
  for (const [line, shown, command = shown] of [
    ["./run a=b --key=2", "./run a=b --key=2"],
    ["A=1 ./run", "A=… ./run", "./run"],
    ["A= ./run", "A= ./run", "./run"],
    ['export A=\'x y\' B="p\\" q"; ./run', "export A=… B=…; ./run", "./run"],
    ["A='it'\\''s' B=$(cat a b) ./run A=1", "A=… B=… ./run A=1", "./run A=1"],
    ["cd x && DB_PASSWORD='a b' ./run", "cd x && DB_PASSWORD=… ./run", "cd x && DB_PASSWORD='a b' ./run"],
    ["./run --api-token abc -v", "./run --api-token … -v", "./run --api-token abc -v"],
    ["./run --client-secret=abc", "./run --client-secret=…", "./run --client-secret=abc"],
    ["./run --token", "./run --token"],
    ["exporter A=1", "exporter A=1"],
    ["", ""],
  ] as const) {
    it(`is ${JSON.stringify(shown)}`, () => {
      expect(withoutSecrets(line)).to.equal(shown);
      expect(behindAssignments(line)).to.equal(command);
    });
  }
});

describe("secrets", function () {
  this.slow(5000);
  const project = projectPerTest();

  /** Files of the project that contain the secret. */
  function holders(): string[] {
    const names = fs.readdirSync(project().directory, { recursive: true, encoding: "utf8" });
    return names.filter((name) => {
      const file = path.join(project().directory, name);
      return fs.lstatSync(file).isFile() && fs.readFileSync(file, "utf8").includes(SECRET);
    });
  }

  it("of --env and --export are in the job file only", async () => {
    const told: string[] = [];
    const submit = async (...args: string[]) => {
      const { exitCode, stdout, stderr } = await project().run("fjord", ["submit", ...args], {
        env: { GIVEN: SECRET },
      });
      expect(exitCode, stderr).to.equal(0);
      told.push(stdout, stderr);
    };
    await submit("--json", "--env", `MINE=${SECRET}`, "--name", "words", "--", "true", "x");
    await submit("--env", `MINE=${SECRET}`, "--name", "line", "--", "true; false");
    await submit("--json", "--export", "GIVEN", "--name", "more{n}", "--param", "n=1..2", "--", "true");
    await submit("--json", "--", `MINE=${SECRET} true`);
    await submit("--json", "--dry-run", "--env", `MINE=${SECRET}`, "--name", "dry", "--", "true");
    await submit(
      "--json",
      "--env",
      `MINE=${SECRET}`,
      "--name",
      "arr",
      "--array",
      "1-2",
      "--",
      "echo {index}",
    );
    expect(told[0]).to.contain('"runs":"MINE=… true x"');
    expect(told[2]).to.contain("Runs: export MINE=…; true; false");
    await project().hire(1);
    const dispatched = await project().run("dispatcher", ["--json"], { env: { FJORD_LOG_LEVEL: "trace" } });
    told.push(dispatched.stdout, dispatched.stderr);
    for (const verb of ["list", "show", "explain", "history", "results", "status"]) {
      const jobs = verb === "show" || verb === "explain" ? ["words", "line", "arr_1"] : [];
      const { exitCode, stdout } = await project().run("fjord", [verb, ...jobs, "--json"]);
      expect(exitCode, verb).to.equal(0);
      told.push(stdout);
    }
    const { stdout: run } = await project().run("fjord", [
      ...["run", "--dry-run", "--json", "--env", `MINE=${SECRET}`, "--param", "n=1..2", "--", "echo {n}"],
    ]);
    told.push(run);
    for (const text of told) expect(text).not.to.contain(SECRET);
    expect(project().files.done).to.have.length.above(5);
    for (const file of holders()) expect(file).to.match(/^(jobdone|jobfailed|jobarrays\/arr)\/.*\.ini$/);
  });

  for (const via of sized(["detached"], ["tmux", "screen"])) {
    it(`in the environment of workers that are hired via ${via} stay there`, async function () {
      const env = { TEST_TOKEN: SECRET, FJORD_LOG_LEVEL: "trace" };
      const args = ["hire", "1", "--json", "--via", via];
      const hired = await project().run("recruiter", args, { env });
      if (hired.stderr.includes("not installed")) skip(this, `${via} is not installed`);
      expect(hired.exitCode, hired.stderr).to.equal(0);
      project().job("a", 'printf "%s" "$TEST_TOKEN" | wc -c; exit 3 #', { retries: "1" });
      project().job("bad", "true", { timeout: "never" });
      const { stdout } = await project().run("dispatcher", ["--json"], { env });
      expect(project().log("a").trim()).to.equal(String(SECRET.length));
      expect(holders()).to.deep.equal([]);
      expect(hired.stdout + stdout).not.to.contain(SECRET);
      for (const { file, command } of commandLines()) expect(command, file).not.to.contain(SECRET);
      expect(
        project()
          .list(project().layout.daemonlogs)
          .filter((name) => name.endsWith(".env")),
      ).to.deep.equal([]);
    });
  }

  it("in a job's command line are in no command line of fjord's processes, also with nice or another shell", async () => {
    const job = await project().remoteJob("ready");
    await project().hire(3);
    const others: Record<string, Record<string, string>> = {
      nice: { nice: "3" },
      bash: { shell: "/bin/bash" },
    };
    for (const [name, keys] of Object.entries(others)) {
      project().job(name, `MINE=${SECRET} ; ${(await project().remote(name)).commandLine}`, keys);
    }
    const dispatcher = project().start("dispatcher");
    await job.started();
    job.exit(0);
    await project().until("the jobs run", () =>
      Object.keys(others).every((name) => project().events("started", name).length > 0),
    );
    for (const { file, command } of commandLines()) expect(command, file).not.to.contain(SECRET);
    await project().run("fjord", ["cancel", ...Object.keys(others)]);
    await dispatcher.end;
  });

  it("in a callback that fails are not shown", async () => {
    project().job("a", "true");
    await project().hire(1);
    const { stdout } = await project().run("dispatcher", ["--callback", `MY=${SECRET}; exit 3`]);
    expect(stdout).to.contain("The callback failed: exit code 3.").and.not.to.contain(SECRET);
  });
});

/** The command lines of all processes, which every user on the host can read. */
function commandLines(): { file: string; command: string }[] {
  if (!fs.existsSync("/proc/self/cmdline")) return [];
  return fs.readdirSync("/proc").flatMap((pid) => {
    const file = `/proc/${pid}/cmdline`;
    try {
      return /^\d+$/.test(pid) ? [{ file, command: fs.readFileSync(file, "utf8") }] : [];
    } catch {
      return []; // the process has ended
    }
  });
}
