import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { sharedProject } from "../rig/with-project.js";

describe("the environment of a job", () => {
  const project = sharedProject();
  let worker = "";

  before(async () => {
    // A worker that a job hires inherits such variables.
    Object.assign(project().env, { FJORD_INDEX: "stale", FJORD_PARAM_STALE: "stale" });
    [worker = ""] = await project().hire(1);
    project().start("dispatcher", ["--stay"]);
  });

  /** Runs a job to its end, and returns its output. */
  async function printed(
    name: string,
    executable: string,
    keys: Record<string, string> = {},
  ): Promise<string> {
    project().job(name, executable, keys);
    await project().ended(name);
    return project().log(name);
  }

  it("has the absolute path of the job file as its last argument", async () => {
    const text = await printed("args", `sh -c 'for arg; do echo "<$arg>"; done' sh one 'two  words'`);
    const file = project().layout.onDesk(worker, "args.ini");
    expect(text).to.equal(`<one>\n<two  words>\n<${file}>\n`);
    expect(path.isAbsolute(file)).to.equal(true);
  });

  it("lets the job read its job file, with the job's own sections unchanged", async () => {
    const text = "[control]\nexecutable: cat\n\n[params]\nX = 1 ; 2\n# ü\n";
    project().rename("cat.ini", text);
    await project().ended("cat");
    expect(project().log("cat")).to.equal(text);
    expect(fs.readFileSync(project().layout.ended("jobdone", "cat.ini"), "utf8")).to.equal(text);
  });

  it("has the directory in which the worker was hired", async () => {
    expect(await printed("pwd", "pwd; :")).to.equal(`${project().work}\n`);
  });

  it("has the workdir of the job: absolute, relative to the worker's directory, or in the home directory", async () => {
    for (const dir of ["work/sub dir", "user/mine", "elsewhere"]) {
      fs.mkdirSync(path.join(project().root, dir), { recursive: true });
    }
    const elsewhere = path.join(project().root, "elsewhere");
    expect(await printed("absolute", "pwd; :", { workdir: elsewhere })).to.equal(`${elsewhere}\n`);
    expect(await printed("relative", "pwd; :", { workdir: "sub dir" })).to.equal(
      `${project().work}/sub dir\n`,
    );
    const home = await printed("home", "pwd; :", { workdir: "~/mine" });
    expect(home).to.equal(`${project().root}/user/mine\n`);
  });

  it("lets only this job fail, with a reason, when the workdir does not exist", async () => {
    const text = await printed("nowhere", "echo ran; :", { workdir: "not/there" });
    expect(text).to.contain(`fjord: cannot enter the working directory ${project().work}/not/there`);
    expect(text).not.to.match(/^ran$/m);
    expect((await project().ended("nowhere")).outcome).to.deep.equal({ kind: "failed", code: 126 });
  });

  for (const [name, logfile] of [
    ["unmade", "out/x.txt"],
    ["unmade too", "~/made/x.txt"],
  ] as const) {
    it(`lets the job fail when the workdir does not exist, and creates nothing for the logfile ${logfile}`, async () => {
      const workdir = path.join(project().root, "no", "where");
      const text = await printed(name, "echo ran; :", { workdir, logfile });
      expect(text).to.equal(`fjord: cannot enter the working directory ${workdir}\n`);
      expect((await project().ended(name)).outcome).to.deep.equal({ kind: "failed", code: 126 });
      expect(project().list(project().root)).not.to.include("no");
      expect(project().list(path.join(project().root, "user"))).not.to.include("made");
    });
  }

  it("lets the job fail when the workdir is a file", async () => {
    fs.writeFileSync(path.join(project().work, "a file"), "", { mode: 0o777 });
    await printed("in a file", "echo ran; :", { workdir: "a file", logfile: "out/x.txt" });
    expect((await project().ended("in a file")).outcome).to.deep.equal({ kind: "failed", code: 126 });
  });

  it("has all variables that fjord sets", async () => {
    const text = await printed("env", "env; :", { logfile: "out/env.txt" });
    const env = Object.fromEntries(
      text.split("\n").map((line) => /^([^=]*)=?(.*)$/.exec(line)?.slice(1) ?? []),
    );
    expect(env).to.include({
      FJORD_JOB: "env",
      FJORD_JOB_FILE: project().layout.onDesk(worker, "env.ini"),
      FJORD_LOGFILE: path.join(project().work, "out/env.txt"),
      FJORD_ATTEMPT: "1",
      FJORD_WORKER: worker,
      FJORD_PROJECT: project().directory,
      HOME: project().env.HOME,
    });
    expect(await printed("no logfile", 'echo "<$FJORD_LOGFILE>"; :')).to.equal("<>\n");
  });

  it("has the job's parameters, and those of no other job", async () => {
    const value = `it's "$X" ü\ntwo`;
    const sweep = path.join(project().work, "elements.json");
    fs.writeFileSync(sweep, JSON.stringify([{ "a-b": value }]));
    const show = 'echo "$FJORD_INDEX|$FJORD_ARRAY|$FJORD_PARAM_A_B|$FJORD_PARAM_STALE"';
    const submit = ["submit", "--name", "element", "--from-json", sweep, "--", show];
    const { exitCode, stderr } = await project().run("fjord", submit);
    expect(exitCode, stderr).to.equal(0);
    await project().ended("element_1");
    expect(project().log("element_1")).to.equal(`1|element|${value}|\n`);
    expect(await printed("no element", `${show} #`)).to.equal("|||\n");
    project().rename("array.ini", `[control]\nexecutable = ${show} #\n[array]\nrange = 7\n`);
    await project().ended("array_7");
    expect(project().log("array_7")).to.equal("7|array||\n");
  });

  it("does not pass its variables or its directory to the next job", async () => {
    await printed(
      "leaves",
      "FJORD_TEST_LEFT=1; export FJORD_TEST_LEFT; cd /; umask 777; set -e; exec 2>&-; :",
    );
    const text = await printed("finds", 'echo "$FJORD_TEST_LEFT|$PWD|$(umask)"; :');
    expect(text).to.match(new RegExp(`^\\|${project().work}\\|0*${process.umask().toString(8)}\\n$`));
  });

  it("has an empty standard input", async () => {
    expect(await printed("stdin", "cat; echo end; cat - ; :")).to.contain("end\n");
    expect((await project().ended("stdin")).outcome.kind).to.equal("succeeded");
  });

  it("has the niceness that the job asks for", async () => {
    const worker = Number(await printed("plain nice", "nice; :"));
    expect(Number(await printed("nicer", "nice; :", { nice: "7" }))).to.equal(Math.min(19, worker + 7));
    expect(Number(await printed("nicest", "sh -c nice", { nice: "19" }))).to.equal(19);
  });

  it("has the shell that the job names, with the job file as the last argument", async () => {
    const keys = { shell: "/bin/bash --norc" };
    const file = project().layout.onDesk(worker, "bash.ini");
    const line = `x=(it\\'s "b c"); printf '<%s>' "\${x[@]}" "\${BASH_VERSION:+bash}"`;
    expect(await printed("bash", line, keys)).to.equal(`<it's><b c><bash><${file}>`);
    expect(await printed("plain", "printenv FJORD_LINE; echo $0 #", keys)).to.equal("/bin/bash\n");
    const submit = ["submit", "--name", "opted", "--shell", "bash", "--env", "X=a b", "--", "[[ $X == a* ]]"];
    expect((await project().run("fjord", submit)).stderr).to.equal("");
    expect((await project().ended("opted")).outcome.kind).to.equal("succeeded");
  });

  for (const [shell, code, says] of [
    ["/no/such", 127, /^fjord: there is no shell \/no\/such on this host\n$/],
    [`/bin/${"a".repeat(300)}`, 126, /^fjord: the shell \/bin\/a+ is not a program that may be run here\n$/],
    ["/etc/passwd", 126, /^fjord: the shell \/etc\/passwd is not a program that may be run here\n$/],
    ["nosuchshell -l", 127, /nosuchshell: not found/],
  ] as const) {
    it(`lets the job fail with a reason when its shell cannot be run: ${shell.slice(0, 20)}`, async () => {
      const name = `shell ${code} ${shell.replaceAll("/", "").slice(0, 20)}`;
      expect(await printed(name, "echo ran; :", { shell, logfile: "unmade shell/x" })).to.match(says);
      expect((await project().ended(name)).outcome).to.deep.equal({ kind: "failed", code });
    });
  }

  for (const [name, line, expected] of [
    ["semicolons", "echo a; echo b;:", "a\nb\n"],
    ["hash", "echo a # b", "a\n"],
    ["a hash in a word", "echo a#b;:", "a#b\n"],
    ["equals", 'X="1 = 2" && echo "$X=3";:', "1 = 2=3\n"],
    ["quotes", `echo "it's" 'a "word"' \\"x\\";:`, `it's a "word" "x"\n`],
    ["dollars", `echo '$HOME' "$(echo sub)" \`echo back\`;:`, "$HOME sub back\n"],
    ["percent", "printf '%s%%\\n' 5;:", "5%\n"],
    ["pipes", "echo abc | tr b x | cat;:", "axc\n"],
    ["a here document", "cat <<E\n  here\n  E\n  :", "here\n"],
    ["a comment only", "# nothing", ""],
    ["brackets", "case x in (x) echo yes;; esac; { echo b; }; (echo c);:", "yes\nb\nc\n"],
    ["ünï cödé", "echo 'é 日本 😀';:", "é 日本 😀\n"],
  ] as const) {
    it(`leaves the command line unchanged: ${name}`, async () => {
      expect(await printed(name, line)).to.equal(expected);
    });
  }

  for (const line of ["echo 'open", 'echo "open', "if true; then", "echo )", "}", "fi", "$(", "a &&&& b"]) {
    it(`lets only this job fail when its command line is not valid in the shell: ${line}`, async () => {
      const name = `broken ${Buffer.from(line).toString("hex")}`;
      project().job(name, line);
      expect((await project().ended(name)).outcome.kind).to.equal("failed");
      expect(await printed(`after ${name}`, "echo fine;:")).to.equal("fine\n");
    });
  }

  for (const line of [
    "exit 0",
    "exec true",
    "set -e; false || true",
    "return 0 2>/dev/null; exit 0",
    "trap - EXIT; exit 0",
  ]) {
    it(`lets only this job end: ${line}`, async () => {
      const name = `ends ${Buffer.from(line).toString("hex")}`;
      await printed(name, line);
      expect((await project().ended(name)).outcome.kind).to.equal("succeeded");
    });
  }

  it("runs an executable script, with the path of the script as its argument", async () => {
    project().rename("script.sh", '#!/bin/sh\necho "$0|$1|$FJORD_JOB|$FJORD_JOB_FILE"\n', 0o755);
    await project().ended("script.sh");
    const file = project().layout.onDesk(worker, "script.sh");
    expect(project().log("script.sh")).to.equal(`${file}||script.sh|${file}\n`);
    const done = project().layout.ended("jobdone", "script.sh");
    expect(fs.statSync(done).mode & 0o777).to.equal(0o755);
  });

  it("runs a program without an ending, and one whose name ends in .ini", async () => {
    project().rename("program", "#!/bin/sh\necho program\n", 0o755);
    project().rename("script.ini", "#!/bin/sh\necho script\n", 0o755);
    await project().ended("program");
    await project().ended("script");
    expect(project().log("program")).to.equal("program\n");
    expect(project().log("script")).to.equal("script\n");
  });

  it("accepts job files for fjd: the section [fjd], and keys in any case", async () => {
    project().rename("old.ini", "[fjd]\nExecutable : echo old\nLOGFILE = old.log\n");
    await project().ended("old");
    expect(fs.readFileSync(path.join(project().work, "old.log"), "utf8")).to.equal(
      `old ${project().layout.onDesk(worker, "old.ini")}\n`,
    );
  });

  it("is independent of the user's shell start-up files", async () => {
    fs.writeFileSync(path.join(project().root, "user/.profile"), "echo profile\n");
    expect(await printed("profile", "echo clean;:")).to.equal("clean\n");
    expect(os.homedir()).not.to.equal(project().env.HOME);
  });
});
