import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { execaSync } from "execa";
import { binary, type CommandEnd, PACKAGE } from "./rig/command.js";
import type { TemporaryProject } from "./rig/temporary-project.js";
import { projectPerTest, skip } from "./rig/with-project.js";

const PAGE = fs.readFileSync(path.join(PACKAGE, "docs/gnu-parallel.md"), "utf8");
const [FILES = "", AGAIN = ""] = [...PAGE.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text);

interface Line {
  readonly what: string;
  readonly parallel: string;
  readonly fjord: string;
  /** The column of the page that says in what the two commands agree. */
  readonly same: string;
}

function linesOf(page: string): Line[] {
  return page.split("\n").flatMap((row) => {
    const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
    const [, what = "", parallel = "", fjord = "", same = ""] = cells;
    const command = (cell: string) => /^`(.*)`$/.exec(cell)?.[1];
    const [left, right] = [command(parallel), command(fjord)];
    return left === undefined || right === undefined ? [] : [{ what, parallel: left, fjord: right, same }];
  });
}

/** Whether this is the real GNU parallel. Another program has the same name. */
const isInstalled = execaSync("parallel", ["--version"], { reject: false }).stdout?.includes("GNU parallel");

/** Runs lines of the page in bash, in the directory of the page's files, with fjord's commands on PATH. */
function bash(project: TemporaryProject, script: string): Promise<CommandEnd> {
  const bin = path.join(project.root, "bin");
  fs.mkdirSync(bin, { recursive: true });
  for (const name of ["fjord", "recruiter", "dispatcher"] as const) {
    if (!fs.existsSync(path.join(bin, name))) fs.symlinkSync(binary(name), path.join(bin, name));
  }
  const env = { PATH: `${bin}${path.delimiter}${process.env.PATH}` };
  return project.startProgram("bash", ["-eo", "pipefail", "-c", FILES + script], { env }).end;
}

const sorted = (text: string) => text.split("\n").sort().join("\n");

describe("the page for users of GNU parallel", () => {
  const project = projectPerTest();

  it("has more than 20 lines", () => {
    expect(linesOf(PAGE).length).to.be.above(20);
  });

  for (const { what, parallel, fjord, same } of linesOf(PAGE)) {
    it(`${what}: ${fjord}`, async function () {
      const mine = await bash(project(), fjord);
      expect(mine.exitCode, mine.stderr).to.equal(same.includes("both fail") ? 1 : 0);
      if (!isInstalled)
        skip(this, "GNU parallel is not installed: fjord's line works, and is compared with nothing");
      const theirs = await bash(project(), parallel);
      expect(theirs.exitCode === 0, theirs.stderr).to.equal(mine.exitCode === 0);
      if (same.startsWith("same output")) expect(mine.stdout).to.equal(theirs.stdout);
      else if (same.startsWith("same lines")) expect(sorted(mine.stdout)).to.equal(sorted(theirs.stdout));
      else expect(same).to.equal("both fail");
    });
  }

  it("retries failed jobs as the page says", async () => {
    const { exitCode, stdout, stderr } = await bash(project(), AGAIN);
    expect(exitCode, stderr).to.equal(0);
    expect(stdout).to.contain("Back into the queue: 2 jobs: s1, s3.").and.to.contain("2 succeeded, 0 failed");
    const attempts = fs
      .readFileSync(path.join(project().work, "attempts.csv"), "utf8")
      .trimEnd()
      .split("\r\n");
    expect(attempts).to.have.length(1 + 5);
  });
});
