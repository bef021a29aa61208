import fs from "node:fs";
import { expect } from "chai";
import { binary, type CommandEnd, type CommandName } from "../rig/command.js";
import { sharedProject } from "../rig/with-project.js";

/** Runs a command in a directory that has been removed. */
const GONE = 'mkdir "$$" && cd "$$" && rmdir "../$$" && exec "$@"';
const REFUSED =
  /^\[\w+\] The current directory is gone\.\n\[\w+\] Change to a directory that is there \(cd\), and try again\.\n$/;

describe("a command whose current directory was removed", () => {
  const project = sharedProject();

  function run(name: CommandName, ...args: string[]): Promise<CommandEnd> {
    const words = ["-c", GONE, "sh", process.execPath, binary(name), ...args];
    return project().startProgram("/bin/sh", words).end;
  }

  it("prints its help", async () => {
    const names = ["fjord", "recruiter", "dispatcher", "worker"] as const;
    const ends = await Promise.all(names.map((name) => run(name, "--help")));
    for (const [i, { exitCode, stdout, stderr }] of ends.entries()) {
      expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
      expect(stdout).to.match(new RegExp(`^${names[i]}\\b`));
    }
  });

  it("works when it needs no directory, and a job whose worker is there says that its directory is gone", async () => {
    const dir = `${project().work}/soon-gone`;
    const called = `${project().root}/called`;
    fs.mkdirSync(dir);
    await project().run("recruiter", ["hire", "1"], { cwd: dir });
    project().job("stands", "true"); // A launcher for fjord exists at this point.
    expect((await run("dispatcher")).exitCode).to.equal(0);
    fs.rmdirSync(dir);
    project().job("lost", "true");
    project().job("a", "echo ran", { workdir: project().work });
    expect(await run("fjord", "list")).to.deep.include({ exitCode: 0, stderr: "" });
    const dispatched = await run("dispatcher", "--callback", `echo $FJORD_SUCCEEDED > ${called}`);
    expect(dispatched.exitCode).to.equal(1);
    expect(fs.readFileSync(called, "utf8")).to.equal("1\n");
    expect((await run("fjord", "log", "a")).stdout).to.match(/^ran /);
    expect(project().events("ended", "lost")[0]?.outcome).to.deep.equal({ kind: "failed", code: 126 });
    expect(project().log("lost")).to.equal(`fjord: cannot enter the working directory ${dir}\n`);
  });

  it("says so when it needs the directory, and creates nothing", async () => {
    const refused: [CommandName, ...string[]][] = [
      ["recruiter", "hire", "1"],
      ["worker"],
      ["fjord", "submit", "--", "true"],
      ["fjord", "submit", "a.ini"],
      ["fjord", "run", "--workdir", "/", "--", "true"],
      ["fjord", "list", "--project", "./p"],
    ];
    const ends = await Promise.all(refused.map(([name, ...args]) => run(name, ...args)));
    for (const [i, { exitCode, stderr }] of ends.entries()) {
      expect(exitCode, refused[i]?.join(" ")).to.equal(2);
      expect(stderr).to.match(REFUSED);
    }
    expect(project().list(project().home)).to.deep.equal(["test"]);
  });
});
