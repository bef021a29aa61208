import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import type { ResultRow } from "../../src/report/results.js";
import type { Ended } from "../rig/temporary-project.js";
import { projectPerTest, sharedProject } from "../rig/with-project.js";

describe("the result that a job writes to $FJORD_RESULT", () => {
  const project = sharedProject();

  before(async () => {
    await project().hire(1);
    project().start("dispatcher", ["--stay"]);
  });

  async function run(name: string, line: string, keys: Record<string, string> = {}): Promise<Ended> {
    project().job(name, line, keys);
    return project().ended(name);
  }

  it("goes into the ledger, whether it is JSON or lines", async () => {
    const lines = await run("lines", 'printf "loss = 0.25\\nname=x\\n" > "$FJORD_RESULT";:');
    expect(lines.result).to.deep.equal({ loss: 0.25, name: "x" });
    const json = await run("json", `echo '{"loss": 0.5, "per": [1, 2]}' > "$FJORD_RESULT";:`);
    expect(json.result).to.deep.equal({ loss: 0.5, per: [1, 2] });
    expect((await project().run("fjord", ["show", "json"])).stdout).to.contain(
      'result: {"loss":0.5,"per":[1,2]}\n',
    );
  });

  it("is missing from the ledger when the job writes none", async () => {
    expect(await run("none", "true")).not.to.have.property("result");
  });

  it("counts when the job fails", async () => {
    const { outcome, result } = await run("fails", 'echo reached=7 > "$FJORD_RESULT"; exit 3;:');
    expect(outcome).to.deep.equal({ kind: "failed", code: 3 });
    expect(result).to.deep.equal({ reached: 7 });
  });

  it("counts when the job is stopped", async () => {
    const { outcome, result } = await run("slow", 'echo reached=8 > "$FJORD_RESULT"; sleep 1000;:', {
      timeout: "1",
    });
    expect(outcome.kind).to.equal("timed-out");
    expect(result).to.deep.equal({ reached: 8 });
  });

  it("belongs to its attempt; a file that was there before is ignored", async () => {
    const job = "stale";
    fs.writeFileSync(project().layout.resultOf(job, 1), "a=1\n");
    await project().until("the clock of the store has advanced", () => {
      const probe = path.join(project().work, "probe");
      fs.writeFileSync(probe, "");
      return fs.statSync(probe).ctimeMs > fs.statSync(project().layout.resultOf(job, 1)).ctimeMs + 20;
    });
    expect(await run(job, "true")).not.to.have.property("result");
  });

  for (const [what, line, said] of [
    ["a FIFO", 'mkfifo "$FJORD_RESULT";:', "is not a regular file"],
    ["a directory", 'mkdir "$FJORD_RESULT";:', "is not a regular file"],
    ["a symbolic link", 'ln -s /etc/passwd "$FJORD_RESULT";:', "cannot be read"],
    ["huge", 'head -c 5000000 /dev/zero > "$FJORD_RESULT";:', "is larger than 65536 bytes"],
    ["binary", 'head -c 500 /dev/zero > "$FJORD_RESULT";:', "is not text"],
    ["no result", 'echo hello > "$FJORD_RESULT";:', "is neither a JSON object nor key=value"],
    ["empty", ': > "$FJORD_RESULT"', "is empty"],
  ] as const) {
    it(`causes a warning in the job's log and no failure when it is ${what}`, async () => {
      const ended = await run(`bad ${what}`, line);
      expect(ended.outcome).to.deep.equal({ kind: "succeeded" });
      expect(ended).not.to.have.property("result");
      expect(project().log(`bad ${what}`)).to.match(
        new RegExp(`^fjord: the result was not taken: \\$FJORD_RESULT ${said}`, "m"),
      );
    });
  }

  it("cannot be that of another job, even if it names that job", async () => {
    project().job("names", `echo '{"job":"boom","x":1}' > "$FJORD_RESULT";:`);
    await project().ended("names");
    expect((await run("boom", "exit 9")).outcome).to.deep.equal({ kind: "failed", code: 9 });
  });
});

describe("fjord results", () => {
  const project = projectPerTest();

  function sweep(): void {
    for (const [name, n, line] of [
      ["run1", "1", "echo loss=0.5 > $FJORD_RESULT;:"],
      ["run2", "2, or so", `echo '{"loss": 0.25, "at": {"epoch": 3}}' > $FJORD_RESULT;:`],
      ["run10", "10", "echo loss=9 > $FJORD_RESULT; exit 1;:"],
    ]) {
      project().rename(`${name}.ini`, `[control]\nexecutable = ${line}\n\n[params]\nn = ${n}\n`);
    }
    project().rename("script.sh", "#!/bin/sh\necho note=script > $FJORD_RESULT\n", 0o755);
  }

  async function rows(...jobs: string[]): Promise<ResultRow[]> {
    return JSON.parse((await project().run("fjord", ["results", "--json", ...jobs])).stdout);
  }

  it("lists parameters and results of all jobs that have ended", async () => {
    const waits = await project().remoteJob("waits", { priority: "-1" });
    sweep();
    await project().hire(1);
    project().start("dispatcher", ["--stay"]);
    await waits.started();
    expect((await project().run("fjord", ["results", "--csv"])).stdout).to.equal(
      [
        "job,state,n,loss,at,note",
        "run1,done,1,0.5,,",
        'run2,done,"2, or so",0.25,"{""epoch"":3}",',
        "run10,failed,10,9,,",
        "script.sh,done,,,,script",
        "",
      ].join("\r\n"),
    );
    const { stdout } = await project().run("fjord", ["results"]);
    expect(stdout).to.match(/^JOB +STATE +n +loss +at +note$/m);
    expect(stdout).to.match(/^run2 +done +2, or so +0.25 +\{"epoch":3\}$/m);
    expect(await rows("run{1,2}", "waits")).to.deep.equal([
      { job: "run1", state: "done", params: { n: "1" }, results: { loss: 0.5 } },
      { job: "run2", state: "done", params: { n: "2, or so" }, results: { loss: 0.25, at: { epoch: 3 } } },
    ]);
    waits.exit(0);
    await project().ended("waits");
  });

  it("omits jobs that have neither, unless they are named", async () => {
    await project().hire(1);
    project().job("plain", "true");
    await project().run("dispatcher");
    const rest = "1 job without parameters and results; name them to see them.\n";
    expect((await project().run("fjord", ["results"])).stdout).to.equal(rest);
    project().rename("swept.ini", "[control]\nexecutable = exit 1;:\n\n[params]\nn = 1\n");
    await project().run("dispatcher");
    const { stdout } = await project().run("fjord", ["results"]);
    expect(stdout).to.equal(`JOB    STATE   n\nswept  failed  1\n${rest}`);
    expect((await project().run("fjord", ["results", "--csv"])).stdout).to.equal(
      "job,state,n\r\nswept,failed,1\r\n",
    );
    expect(await rows()).to.deep.equal([{ job: "swept", state: "failed", params: { n: "1" }, results: {} }]);
    expect((await project().run("fjord", ["results", "*", "--csv"])).stdout).to.equal(
      "job,state,n\r\nplain,done,\r\nswept,failed,1\r\n",
    );
  });

  it("counts only the last attempt", async () => {
    project().job(
      "tries",
      "[ $FJORD_ATTEMPT = 1 ] && { echo old=1 > $FJORD_RESULT; exit 1; }; echo new=2 > $FJORD_RESULT;:",
      {
        retries: "1",
      },
    );
    project().job("gives", "[ $FJORD_ATTEMPT = 1 ] && echo old=1 > $FJORD_RESULT; exit 1;:", {
      retries: "1",
    });
    await project().hire(1);
    await project().run("dispatcher");
    expect(await rows("tries", "gives")).to.deep.equal([
      { job: "tries", state: "done", params: {}, results: { new: 2 } },
      { job: "gives", state: "failed", params: {}, results: {} },
    ]);
  });

  it("says when no job has ended yet, and refuses an unknown job", async () => {
    expect((await project().run("fjord", ["results"])).stdout).to.equal("No job has ended yet.\n");
    expect((await project().run("fjord", ["results", "none"])).exitCode).to.equal(3);
  });
});
