import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { execa } from "execa";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const README = fs.readFileSync(path.join(ROOT, "README.md"), "utf8");

const RECRUITER = path.join(ROOT, "bin", "recruiter.js");

interface Block {
  /** Language after the fence. Blocks in `sh` are run, and blocks in `text` are not. */
  readonly language: string;
  readonly text: string;
}

function blocksOf(markdown: string): Block[] {
  const fences = markdown.matchAll(/^```(\S+)\n(.*?)^```$/gms);
  return [...fences].map(([, language = "", text = ""]) => ({ language, text }));
}

function blocks(language: string): string[] {
  return blocksOf(README)
    .filter((block) => block.language === language)
    .map((block) => block.text);
}

/** Pattern for a line of output in the README, with any host, user and speed. */
function asPattern(line: string): RegExp {
  const pattern = line
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replace(/\/home\/ann\b/g, "\\S+")
    .replace(/node7/g, "[\\w-]+")
    .replace(/\d+(?:\\\.\d+)? m?s\b/g, "[\\d.]+ m?s");
  return new RegExp(`^${pattern}$`, "m");
}

describe("the README", () => {
  let home: string;
  let env: NodeJS.ProcessEnv;

  before(() => {
    home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-readme-")));
    const bin = path.join(home, "bin");
    fs.mkdirSync(bin);
    for (const command of ["recruiter", "dispatcher", "worker", "fjord"]) {
      fs.symlinkSync(path.join(ROOT, "bin", `${command}.js`), path.join(bin, command));
    }
    const { FJORD_HOME: _home, FJORD_PROJECT: _project, ...rest } = process.env;
    env = { ...rest, HOME: home, PATH: `${bin}${path.delimiter}${process.env.PATH}` };
  });

  /** Stops the daemons that a failed block left behind. */
  after(async function () {
    this.timeout(60_000);
    const projects = [".fjord/default", "demo/paper", "app/results"].map((dir) => path.join(home, dir));
    for (const project of projects.filter((dir) => fs.existsSync(dir))) {
      const { stdout } = await execa(RECRUITER, ["fire", "--now", "--wait", "--project", project], { env });
      expect(stdout).to.match(/Fired|Nobody/);
    }
    fs.rmSync(home, { recursive: true });
  });

  it("has fewer than 300 lines", () => {
    expect(README.trimEnd().split("\n").length).to.be.below(300);
  });

  it("has commands that work as written, one after the other, and print the output that it shows", async function () {
    this.timeout(120_000);
    const script = `trap 'kill $(jobs -p) 2>/dev/null || :; wait' EXIT\n${blocks("sh").join("\n")}`;
    const { all, exitCode } = await execa("bash", ["-euo", "pipefail", "-c", script], {
      cwd: home,
      env,
      extendEnv: false,
      all: true,
      reject: false,
      stdin: "ignore",
      timeout: 100_000,
    });
    expect(exitCode, all).to.equal(0);
    const promised = blocks("text")
      .join("")
      .split("\n")
      .filter((line) => /^\[\w+\]|squared/.test(line) && !line.includes("example"))
      .filter((line) => !line.includes(" 0 of 4 workers free") && !line.includes("10 succeeded"));
    expect(promised).to.have.length.above(8);
    for (const line of promised) expect(all).to.match(asPattern(line));
    expect(all).to.include("hello from ");
    expect(all).to.include("dispatcher's exit code: 1");
    expect(all).to.match(/^1 done$/m);
    expect(fs.readdirSync(path.join(home, ".fjord/default/workerqueue"))).to.deep.equal([]);
    expect(fs.readdirSync(path.join(home, "demo/paper/jobdone"))).to.deep.equal(["echo.ini"]);
  });

  it("has an example of the library that runs and prints the output that it shows", async function () {
    this.timeout(60_000);
    const [snippet] = blocks("js");
    const [, file = ""] = /Save it as `(\S+)`[^`]*`npm install[^`]*`[^`]*`node \1`/.exec(README) ?? [];
    const app = path.join(home, "app");
    fs.mkdirSync(path.join(app, "node_modules"), { recursive: true });
    fs.symlinkSync(ROOT, path.join(app, "node_modules", "fjord"), "dir");
    fs.writeFileSync(path.join(app, file), snippet ?? "");
    const { stdout } = await execa(process.execPath, [file], { cwd: app, env, extendEnv: false });
    expect(stdout).to.equal("1 succeeded, 0 failed");
  });

  it("names npm scripts that exist", () => {
    const { scripts } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8"));
    const named = [...README.matchAll(/npm (?:run ([\w:]+)|(test))/g)].map(([, run, test]) => run ?? test);
    expect(named).to.include.members(["example", "setup", "test", "test:deep"]);
    expect(scripts).to.include.keys(named);
  });

  it("links to pages that exist", () => {
    const pages = fs.readdirSync(path.join(ROOT, "docs")).map((name) => `docs/${name}`);
    for (const page of ["README.md", ...pages.filter((name) => name.endsWith(".md"))]) {
      const text = fs.readFileSync(path.join(ROOT, page), "utf8");
      for (const [, target = ""] of text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)) {
        const file = path.resolve(ROOT, path.dirname(page), target);
        expect(fs.existsSync(file), `${page} links to ${target}`).to.equal(true);
      }
    }
  });
});
