import { expect } from "chai";
import { execa } from "execa";
import { binary, type CommandEnd, type CommandName } from "../rig/command.js";
import { projectPerTest, skip } from "../rig/with-project.js";

/** Variables whose values are not UTF-8 or whose names a POSIX shell cannot set. */
const FOREIGN = `
BYTES=$(printf "a\\\\377'\\\\201\\\\n \\\\303\\\\274"); export BYTES
exec env my.prop='1 2' 'BASH_FUNC_f%%=() { echo "f $1"; }' "$@"
`;
const HEX = " 61 ff 27 81 0a 20 c3 bc 0a\n";

const POSIX = { shell: "/bin/sh" };

describe("an environment that Node or a POSIX shell would change", () => {
  const project = projectPerTest("[fjord]\npoll = 0.3 s\ngrace = 0.5 s\nshell = /bin/bash\n");

  before(function () {
    if (process.platform !== "linux") skip(this, "only /proc tells the bytes");
  });

  const start = (name: CommandName, ...args: string[]) =>
    project().startProgram("sh", ["-c", FOREIGN, "sh", process.execPath, binary(name), ...args]);

  it("reaches jobs byte for byte with every launcher of workers", async () => {
    const launchers = ["detached"];
    for (const [tool, version] of [
      ["tmux", "-V"],
      ["screen", "-v"],
    ] as const) {
      if ((await execa(tool, [version], { reject: false })).code !== "ENOENT") launchers.push(tool);
    }
    start("worker");
    const hiring = launchers.map(
      (via): Promise<CommandEnd> => start("recruiter", "hire", "1", "--via", via).end,
    );
    for (const { exitCode, stderr } of await Promise.all(hiring)) expect(exitCode, stderr).to.equal(0);
    const count = launchers.length + 1;
    await project().until("all workers are on duty", () => project().workers.length === count);
    // Each job waits for the others, so each worker runs one job.
    const meet = `touch $FJORD_WORKER.here; until [ $(ls *.here | wc -l) -eq ${count} ]; do sleep 0.05; done`;
    const jobs = Array.from({ length: count }, (_, i) => `bytes${i}`);
    for (const job of jobs) project().job(job, `${meet}; printenv BYTES | od -An -tx1 #`, POSIX);
    await project().run("dispatcher");
    for (const job of jobs) expect(project().log(job)).to.equal(HEX);
  });

  it("reaches programs that run in bash, including exported functions", async function () {
    if ((await execa("/bin/bash", ["--version"], { reject: false })).failed) skip(this, "there is no bash");
    expect((await start("recruiter", "hire", "1").end).exitCode).to.equal(0);
    project().job("words", "bash -c 'f \"$1\"; printenv my.prop' sh 'a b' #", POSIX);
    project().job("line", "f a; printenv my.prop; cat <<< b; echo $0 #"); // The project's shell runs this job.
    project().job(
      "posix",
      "echo one; type f >/dev/null 2>&1 || echo none; printenv BYTES | od -An -tx1 #",
      POSIX,
    );
    project().rename("script", "#!/bin/bash\nf a\nprintenv my.prop\n", 0o755);
    await project().run("dispatcher");
    expect(project().log("words")).to.equal("f a b\n1 2\n");
    expect(project().log("line")).to.equal("f a\n1 2\nb\n/bin/bash\n");
    expect(project().log("script")).to.equal("f a\n1 2\n");
    expect(project().log("posix")).to.match(new RegExp(`^one\n(?:none\n)?${HEX}$`)); // if /bin/sh is bash, f is defined
  });
});
