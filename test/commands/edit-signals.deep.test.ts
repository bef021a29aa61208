import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { binary, type RunningCommand } from "../rig/command.js";
import { isAlive } from "../rig/processes.js";
import { projectPerTest, skip } from "../rig/with-project.js";

/**
 * Acts as an editor: ignores the signals of the terminal's keys, reports its start, and waits for the
 * request to save.
 */
const EDITOR = `#!/bin/sh
trap "echo ignored >> $PWD/keys" INT QUIT
test -z "$CHANGE" || sed -i s/true/false/ "$1"
echo "$$ $1" > started.tmp && mv started.tmp started
until test -e save; do sleep 0.02; done
sed -i s/true/false/ "$1"
`;
const BEFORE = "[control]\nexecutable = true\n";
const AFTER = "[control]\nexecutable = false\n";

describe("fjord edit, when it is interrupted", () => {
  const project = projectPerTest("[fjord]\npoll = 0.3 s\nbeat = 0.5 s\n");
  const inWork = (name: string) => path.join(project().work, name);
  const queued = () => fs.readFileSync(project().layout.queued("a.ini"), "utf8");
  const held = () => project().files.held;
  const marks = () =>
    project()
      .list(project().layout.jobpod)
      .filter((name) => name.endsWith(".edit"));
  let env: NodeJS.ProcessEnv;

  beforeEach(() => {
    fs.writeFileSync(inWork("editor"), EDITOR, { mode: 0o755 });
    fs.mkdirSync(inWork("tmp"));
    env = { EDITOR: inWork("editor"), TMPDIR: inWork("tmp") };
    project().job("a", "true");
  });

  /** Starts an edit, and waits until the editor runs. */
  async function begin(more: NodeJS.ProcessEnv = {}, job = "a"): Promise<RunningCommand> {
    const editing = project().start("fjord", ["edit", job], { env: { ...env, ...more } });
    await started();
    return editing;
  }

  /** The editor's process, and the copy of the job file that the editor shows. */
  async function started(): Promise<{ pid: number; copy: string }> {
    await project().until("the editor runs", () => fs.existsSync(inWork("started")));
    const [pid, copy = ""] = fs.readFileSync(inWork("started"), "utf8").trim().split(" ");
    return { pid: Number(pid), copy };
  }

  function save(): void {
    fs.writeFileSync(inWork("save"), "");
  }

  /** Kills fjord during an edit, and lets the editor end. */
  async function killEdit(more: NodeJS.ProcessEnv = {}, job = "a"): Promise<{ copy: string }> {
    const editing = await begin(more, job);
    editing.kill("SIGKILL");
    await editing.exit;
    const { pid, copy } = await started();
    fs.rmSync(inWork("started"));
    process.kill(pid, "SIGKILL");
    await project().gone(pid);
    return { copy };
  }

  it("leaves the signals of the terminal's keys to the editor", async function () {
    if (spawnSync("script", ["--version"]).status !== 0) skip(this, "there is no script");
    // `exec` is needed: a shell of `script` that does not replace itself would also get the signals, and
    // end.
    const typed = `exec "${process.execPath}" "${binary("fjord")}" edit a`;
    const terminal = project().startProgram("script", ["-qec", typed, "/dev/null"], { env });
    await started();
    const keys = () => (fs.existsSync(inWork("keys")) ? fs.readFileSync(inWork("keys"), "utf8") : "");
    for (const key of ["\x03", "\x1c"]) {
      const before = keys();
      terminal.type(key); // Ctrl-C, Ctrl-\
      await project().until("the editor has received the signal", () => keys() !== before);
    }
    expect(held()).to.deep.equal(["a.ini"]);
    save();
    expect((await terminal.end).stdout).to.contain("Changed a.");
    expect(queued()).to.equal(AFTER);
    expect([...held(), ...marks(), ...project().list(inWork("tmp"))]).to.deep.equal([]);
  });

  for (const [signal, CHANGE] of [
    ["SIGTERM", "1"],
    ["SIGHUP", ""],
  ] as const) {
    it(`returns the job at ${signal}, ends the editor, and keeps ${CHANGE ? "what was typed" : "nothing"}`, async () => {
      const editing = await begin({ CHANGE });
      const { pid, copy } = await started();
      editing.kill(signal);
      const { exitCode, stdout, stderr } = await editing.end;
      const kept = CHANGE ? `[fjord] The edited text is kept in ${copy}.\n` : "";
      expect({ exitCode, stdout, stderr }).to.deep.equal({
        exitCode: 130,
        stdout: "",
        stderr: `[fjord] Stopped; a is as it was.\n${kept}`,
      });
      expect(isAlive(pid)).to.equal(false);
      expect(queued()).to.equal(BEFORE);
      expect([...held(), ...marks()]).to.deep.equal([]);
      if (CHANGE) expect(fs.readFileSync(copy, "utf8")).to.equal(AFTER);
      else expect(project().list(inWork("tmp"))).to.deep.equal([]);
    });
  }

  it("says which user edits a job, and refuses a second editor", async () => {
    const editing = await begin();
    const who = new RegExp(
      `edits it \\(process ${editing.pid}, since .*Z\\)\\. → end that editor, or fjord release a`,
    );
    expect((await project().run("fjord", ["explain", "a"])).stdout).to.match(who);
    const second = await project().run("fjord", ["edit", "a"], { env });
    expect(second.exitCode).to.equal(2);
    expect(second.stderr).to.match(new RegExp(`edits a already \\(process ${editing.pid}, since `));
    // The job stays held after the edit, because fjord hold asks for that.
    await project().run("fjord", ["hold", "a"]);
    save();
    expect((await editing.end).exitCode).to.equal(0);
    expect(held()).to.deep.equal(["a.ini"]);
    expect(fs.readFileSync(project().layout.held("a.ini"), "utf8")).to.equal(AFTER);
    expect(marks()).to.deep.equal([]);
  });

  it("keeps the typed text when the job was taken away during the edit", async () => {
    const editing = await begin();
    await project().run("fjord", ["release", "a"]);
    const { copy } = await started();
    save();
    const { exitCode, stderr } = await editing.end;
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain("a does not wait").and.to.contain(`The edited text is kept in ${copy}.`);
    expect(queued()).to.equal(BEFORE);
  });

  it("is continued by the next fjord edit after SIGKILL", async () => {
    const { copy } = await killEdit({ CHANGE: "1" });
    expect(held()).to.deep.equal(["a.ini"]);
    const { stdout } = await project().run("fjord", ["explain", "a"]);
    const says = `That process is dead. A dispatcher puts it back. What was typed may be in ${copy}. → fjord release a`;
    expect(stdout).to.contain(says);
    save();
    const next = await project().run("fjord", ["edit", "a"], { env });
    expect(next.exitCode).to.equal(0);
    expect(next.stdout)
      .to.match(/An edit of a by .*, begun at .*Z, was interrupted\. Its text is kept in /)
      .and.to.contain(`${copy}.\n`);
    expect(queued()).to.equal(AFTER);
    expect([...held(), ...marks()]).to.deep.equal([]);
  });

  it("is ended by a starting or running dispatcher after SIGKILL, and a job that was held before stays held", async () => {
    await killEdit();
    const dispatcher = project().start("dispatcher", ["--stay"]);
    await project().until("the job is back in its place", () => held().length === 0 && queued() === BEFORE);
    project().job("b", "true");
    await project().run("fjord", ["hold", "b"]);
    await killEdit({}, "b");
    await killEdit();
    await project().until("the marks are gone", () => marks().length === 0);
    expect(held()).to.deep.equal(["b.ini"]);
    expect(queued()).to.equal(BEFORE);
    dispatcher.kill("SIGTERM");
    await dispatcher.end;
  });
});
