import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { binary, type CommandName } from "../rig/command.js";
import { sized } from "../rig/sized.js";
import { sharedProject, skip } from "../rig/with-project.js";

/**
 * A command line typed so far, and the words that may follow. The last word is unfinished and often empty.
 */
type Typed = readonly [CommandName, ...string[]];

interface Shell {
  readonly ask: string;
  args(typed: Typed): string[];
}

describe("completion", function () {
  this.slow(3000);
  const project = sharedProject();
  let env: NodeJS.ProcessEnv;

  before(() => {
    const bin = path.join(project().root, "bin");
    fs.mkdirSync(bin);
    for (const name of ["fjord", "recruiter", "dispatcher"] as const) {
      const text = `#!/bin/sh\nexec "${process.execPath}" "${binary(name)}" "$@"\n`;
      fs.writeFileSync(path.join(bin, name), text, { mode: 0o755 });
    }
    env = { PATH: `${bin}:${process.env.PATH}` };
    project().job("train1", "true");
    project().job("train2", "true");
    project().job("two words", "true");
    fs.writeFileSync(
      path.join(project().layout.end("jobfailed"), "test1.ini"),
      "[control]\nexecutable = false\n",
    );
    fs.writeFileSync(path.join(project().work, "settle.txt"), "");
  });

  /** Each shell reads its script from a file and asks for completions as it does when TAB is pressed. */
  const SHELLS: Record<string, Shell> = {
    bash: {
      ask: `source "$1"; COMP_LINE=$2; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fjord_complete
        printf "%s\\n" "\${COMPREPLY[@]}"`,
      args: (typed) => [typed.join(" "), ...typed.flatMap((word) => word.match(/[:=@]+|[^:=@]+/g) ?? [""])],
    },
    zsh: {
      // These stubs replace the functions of the line editor.
      ask: `compdef() { :; }; _describe() { print -rl -- \${(P)2}; }; _files() { print -rl -- \${words[CURRENT]}*(N); }
        source "$1"; shift; words=("$@"); CURRENT=$#; _fjord_complete`,
      args: (typed) => [...typed],
    },
    fish: {
      ask: 'source $argv[1]; complete -C "$argv[2]"',
      args: (typed) => [typed.join(" ")],
    },
  };

  for (const shell of sized(["bash"], ["zsh", "fish"])) {
    const { ask, args } = SHELLS[shell] as Shell;
    describe(shell, () => {
      let script: string;

      before(async function () {
        if (spawnSync(shell, ["-c", "true"]).status !== 0) skip(this, `there is no ${shell}`);
        const { exitCode, stdout } = await project().run("fjord", ["completion", shell]);
        expect(exitCode).to.equal(0);
        script = path.join(project().root, `completion.${shell}`);
        fs.writeFileSync(script, stdout);
      });

      /** The words without their descriptions. */
      async function complete(...typed: Typed): Promise<string[]> {
        const quiet = shell === "bash" ? ["--norc"] : shell === "zsh" ? ["-f"] : ["--no-config"];
        const dollar0 = shell === "fish" ? [] : [shell];
        const words = [...quiet, "-c", ask, ...dollar0, script, ...args(typed)];
        const { stdout, stderr } = await project().startProgram(shell, words, { env }).end;
        expect(stderr).to.equal("");
        const lines = stdout.split("\n").filter((line) => line !== "");
        if (shell !== "zsh") return lines.map((line) => line.split("\t")[0] ?? "").sort();
        return lines.map((line) => (line.split(/(?<!\\):/)[0] ?? "").replaceAll("\\:", ":")).sort();
      }

      it("knows the verbs", async () => {
        expect(await complete("fjord", "s")).to.deep.equal(["show", "status", "submit"]);
        expect(await complete("recruiter", "")).to.deep.equal(["fire", "hire", "list"]);
      });

      it("knows the options", async () => {
        expect(await complete("fjord", "status", "--j")).to.deep.equal(["--json"]);
        expect(await complete("recruiter", "fire", "--")).to.include.members([
          "--now",
          "--wait",
          "--project",
        ]);
        expect(await complete("dispatcher", "--s")).to.deep.equal(["--shared", "--status-only", "--stay"]);
      });

      it("knows the choices", async () => {
        expect(await complete("recruiter", "hire", "--via", "t")).to.deep.equal(["tmux"]);
        expect(await complete("fjord", "completion", "")).to.deep.equal(["bash", "fish", "zsh"]);
      });

      it("knows the projects", async () => {
        expect(await complete("fjord", "status", "--project", "t")).to.deep.equal(["test"]);
      });

      it("knows the jobs", async () => {
        expect(await complete("fjord", "show", "tr")).to.deep.equal(["train1", "train2"]);
        expect(await complete("fjord", "list", "--json", "test")).to.deep.equal(["test1"]);
        expect(await complete("fjord", "show", "train1", "tw")).to.deep.equal([
          shell === "bash" ? "two\\ words" : "two words",
        ]);
      });

      it("knows the jobs that each verb accepts, and the jobs for which another job can wait", async () => {
        expect(await complete("fjord", "retry", "")).to.deep.equal(["test1"]);
        expect(await complete("fjord", "hold", "t"))
          .to.include("train1")
          .and.not.to.include("test1");
        expect(await complete("fjord", "submit", "--after", "tr")).to.deep.equal(["train1", "train2"]);
      });

      it("knows the states", async () => {
        expect(await complete("fjord", "list", "--state", "wa")).to.deep.equal(["waiting"]);
        expect(await complete("fjord", "clean", "--state", "d")).to.deep.equal(["done"]);
      });

      it("knows the workers", async () => {
        const [worker] = await project().hire(1);
        expect(await complete("recruiter", "fire", "")).to.deep.equal([worker]);
        await project().run("recruiter", ["fire", "--wait"]);
      });

      it("completes names that contain bash's word breaks, and options with =", async () => {
        const names = ["ex:a", "ex:lr=0.1", "ex:lr=0.2", "ex@c", "a"];
        for (const name of names) project().job(name, "true");
        /** bash replaces only the last piece of the word with the reply. */
        const rest = (word: string, typed: string) => (shell === "bash" ? word.slice(typed.length) : word);
        const both = (typed: string) => ["ex:lr=0.1", "ex:lr=0.2"].map((name) => rest(name, typed));
        const found = await Promise.all([
          complete("fjord", "show", "ex:l"),
          complete("fjord", "show", "a", "ex:lr="),
          complete("fjord", "show", "ex@"),
          complete("fjord", "list", "--state=wa"),
        ]);
        expect(found).to.deep.equal([
          both("ex:"),
          both("ex:lr="),
          [rest("ex@c", "ex")], // bash keeps an @ together with the text after it.
          [rest("--state=waiting", "--state=")],
        ]);
        for (const name of names) fs.rmSync(project().layout.queued(`${name}.ini`));
      });

      it("leaves file names to the shell", async () => {
        const files = await complete("fjord", "submit", "sett");
        // bash completes file names by itself when the function has found nothing.
        expect(files).to.deep.equal(shell === "bash" ? [] : ["settle.txt"]);
      });
    });
  }

  const asked = async (...words: string[]) =>
    (await project().run("fjord", ["--complete-words", ...words])).stdout;

  const VERBS: [verb: string, ...jobs: string[]][] = [
    ["cancel", "held1", "train1", "train2", "two words"],
    ["hold", "train1", "train2", "two words"],
    ["edit", "held1", "train1", "train2", "two words"],
    ["release", "held1"],
    ["retry", "test1"],
    ["clean", "test1"],
  ];
  for (const [verb, ...jobs] of VERBS) {
    it(`offers the jobs that fjord ${verb} accepts`, async () => {
      fs.writeFileSync(project().layout.held("held1.ini"), "[control]\nexecutable = true\n");
      expect((await asked(verb, "")).trimEnd().split("\n").sort()).to.deep.equal(jobs);
      fs.unlinkSync(project().layout.held("held1.ini"));
    });
  }

  it("continues after a comma", async () => {
    expect(await asked("list", "--state", "done,f")).to.equal("done,failed\n");
  });

  it("offers nothing where it knows no words", async () => {
    expect(await asked("list", "--where", "t")).to.equal("");
    expect(await asked("log", "--attempt", "t")).to.equal("");
    expect(await asked("submit", "--workdir", "")).to.equal("");
    expect(await asked("submit", "--", "l")).to.equal("");
    expect(await asked("show", "--project", "nowhere", "t")).to.equal("");
  });

  it("understands the pieces into which bash splits an option with =", async () => {
    const { stdout } = await project().run("recruiter", ["--complete-words", "hire", "--via", "=", "s"]);
    expect(stdout).to.equal("screen\n");
  });

  it("refuses a shell that it does not know", async () => {
    expect((await project().run("fjord", ["completion", "csh"])).exitCode).to.equal(2);
  });
});
