import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { PACKAGE } from "./rig/command.js";
import { sized } from "./rig/sized.js";
import { projectPerTest, skip } from "./rig/with-project.js";

const TEN = Array.from({ length: 10 }, (_, i) => i);

/** Job files as users of fjd wrote them, in ConfigParser's own format. */
const WRITE_JOBS = `
import sys
from configparser import ConfigParser
queue, executable, space = sys.argv[1], sys.argv[2], sys.argv[3] == "spaces"
for i in range(10):
    conf = ConfigParser()
    conf.add_section("control")
    conf.set("control", "executable", executable.replace("%", "%%"))
    conf.set("control", "logfile", "data/job%d.dat" % i)
    conf.add_section("params")
    conf.set("params", "param1", "value %d; # = : literal" % i)
    conf.set("params", "Param2", "first line\\nsecond line")
    with open("%s/job%d.ini" % (queue, i), "w") as f:
        conf.write(f, space_around_delimiters=space)
`;

/** A job as for fjd: it reads its own job file, and writes to the logfile named there. */
const JOB = `
import sys
from configparser import ConfigParser
conf = ConfigParser()
conf.read(sys.argv[-1])
with open(conf.get("control", "logfile"), "w") as f:
    f.write("%s|%s\\n" % (conf.get("params", "param1"), conf.get("params", "param2").replace("\\n", "+")))
print("chatter")
`;

describe("jobs written for fjd by Python's configparser", () => {
  const project = projectPerTest();
  let python = "";

  before(async function () {
    const found = await execa("python3", ["-c", "import sys, configparser; print(sys.executable)"], {
      reject: false,
    });
    if (found.failed) skip(this, "there is no python3");
    python = found.stdout;
  });

  async function write(executable: string, delimiters: "spaces" | "none"): Promise<void> {
    fs.writeFileSync(path.join(project().work, "job.py"), JOB);
    const args = ["-c", WRITE_JOBS, project().layout.jobqueue, executable, delimiters];
    const { exitCode, stderr } = await project().startProgram(python, args).end;
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
  }

  for (const delimiters of sized<("spaces" | "none")[]>(["spaces"], ["spaces", "none"])) {
    it(`run to their end, and read their own file (delimiters with ${delimiters})`, async () => {
      await write(`'${python}' job.py`, delimiters);
      await project().hire(2);
      const { exitCode, stdout } = await project().run("dispatcher");
      expect(stdout).to.contain("No more jobs: 10 succeeded, 0 failed");
      expect(exitCode).to.equal(0);
      for (const i of TEN) {
        expect(fs.readFileSync(path.join(project().work, `data/job${i}.dat`), "utf8")).to.equal(
          `value ${i}; # = : literal|first line+second line\n`,
        );
        expect(project().log(`job${i}`)).to.equal("chatter\n");
      }
      expect(project().ends).to.deep.equal({ done: TEN.map((i) => `job${i}`), failed: [] });
    });
  }

  it("get their output in the logfile when they write no logfile themselves", async () => {
    await write("echo 100% of", "spaces");
    await project().hire(2);
    expect((await project().run("dispatcher")).exitCode).to.equal(0);
    for (const i of TEN) {
      expect(fs.readFileSync(path.join(project().work, `data/job${i}.dat`), "utf8")).to.match(
        new RegExp(`^100%+ of ${project().layout.jobpod}/\\S+/job${i}\\.ini\n$`),
      );
    }
  });
});

describe("the example", () => {
  const project = projectPerTest();

  it("runs its ten jobs and keeps their data", async () => {
    // The example runs in a copy of the checkout, and does not write to the real one.
    const checkout = path.join(project().root, "checkout");
    fs.mkdirSync(checkout);
    for (const part of ["bin", "dist", "node_modules", "package.json", "scripts"]) {
      fs.symlinkSync(path.join(PACKAGE, part), path.join(checkout, part));
    }
    const example = path.join(checkout, "example");
    fs.cpSync(path.join(PACKAGE, "example"), example, {
      recursive: true,
      filter: (source) => !/example\/(data|project)(\/|$)/.test(source),
    });
    const run = project().startProgram("./run-example.sh", [], {
      cwd: example,
      // The only commands on PATH are those of the package.
      env: { PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`, FJORD_PROJECT: undefined },
    });
    const { exitCode, stdout, stderr } = await run.end;
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
    expect(stdout).to.match(/^\[recruiter\] Hired 4 workers on \S+ in project "/);
    expect(stdout).to.contain(`[dispatcher] Started on ${example}/project/jobqueue.`);
    expect(stdout).to.match(/\[dispatcher\] No more jobs: 10 succeeded, 0 failed, in \d/);
    for (const i of TEN) {
      expect(fs.readFileSync(path.join(example, `data/job${i}.dat`), "utf8")).to.equal(
        `job${i}.ini worked on value${i} in attempt 1\n`,
      );
    }
    const fire = await project().run("recruiter", ["fire", "--project", `${example}/project`]);
    expect(fire.stdout).to.contain("Fired 4 workers");
  });
});
