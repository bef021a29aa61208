import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import type { Diagnosis } from "../../src/doctor/diagnose.js";
import { binary } from "../rig/command.js";
import { freePorts } from "../rig/free-ports.js";
import { sized } from "../rig/sized.js";
import { projectPerTest, skip } from "../rig/with-project.js";

/** The things that the doctor checks. */
const TESTS = [
  "file system",
  "space",
  "permissions",
  "exclusive create",
  "rename: one winner",
  "rename: atomic",
  "hard links",
  "locks of jobs",
  "dispatcher's lock",
  "events",
  "caches",
  "clocks",
];

/** An `ssh` without a network: it prints its arguments and runs the command in a shell, as sshd does. */
const SSH = `#!/bin/sh
printf '%s\\n' "$@" > "$FAKE_SSH_LOG"
shift 2
exec sh -c "$*"
`;

describe("fjord doctor", function () {
  this.slow(8000);
  const project = projectPerTest();

  const scratches = (dir: string) => fs.readdirSync(dir).filter((name) => name.startsWith(".fjord-doctor-"));

  function expectNothingLeft(dir = project().directory): void {
    expect(scratches(dir)).to.deep.equal([]);
  }

  async function diagnosis(args: string[], exitCode: number, env = {}): Promise<Diagnosis> {
    const end = await project().run("fjord", ["doctor", "--json", ...args], { env });
    expect(end.exitCode, end.stdout + end.stderr).to.equal(exitCode);
    return JSON.parse(end.stdout);
  }

  /** A directory with programs, `fjord` among them, that come first on PATH. */
  function bin(programs: Record<string, string>): NodeJS.ProcessEnv {
    const dir = path.join(project().root, "bin");
    fs.mkdirSync(dir);
    fs.writeFileSync(
      path.join(dir, "fjord"),
      `#!/bin/sh\nexec "${process.execPath}" "${binary("fjord")}" "$@"\n`,
      {
        mode: 0o755,
      },
    );
    for (const [name, text] of Object.entries(programs)) {
      fs.writeFileSync(path.join(dir, name), text, { mode: 0o755 });
    }
    return { PATH: `${dir}:${process.env.PATH}`, FAKE_SSH_LOG: path.join(project().root, "ssh.log") };
  }

  /** An sshd that belongs to this test, and an `ssh` that finds this sshd under the host name `here`. */
  async function realSsh(test: Mocha.Context): Promise<{ env: NodeJS.ProcessEnv; stop(): void }> {
    const own = (name: string) => path.join(project().root, name);
    for (const key of ["host-key", "user-key"]) {
      const { status } = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", own(key)]);
      if (status !== 0) skip(test, "there is no ssh-keygen");
    }
    const [port = 0] = await freePorts(1);
    const env = bin({ ssh: `#!/bin/sh\nexec /usr/bin/ssh -F "${own("ssh_config")}" "$@"\n` });
    fs.writeFileSync(
      own("ssh_config"),
      `Host here\nHostName 127.0.0.1\nPort ${port}\nIdentityFile ${own("user-key")}\nIdentitiesOnly yes\nBatchMode yes\nUserKnownHostsFile /dev/null\nStrictHostKeyChecking no\nLogLevel ERROR\n`,
    );
    fs.writeFileSync(
      own("sshd_config"),
      `ListenAddress 127.0.0.1:${port}\nHostKey ${own("host-key")}\nAuthorizedKeysFile ${own("user-key.pub")}\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\nSetEnv PATH=${env.PATH}\n`,
    );
    const sshd = project().startProgram("/usr/sbin/sshd", ["-D", "-e", "-f", own("sshd_config")]);
    const answers = () =>
      spawnSync(path.join(own("bin"), "ssh"), ["here", "true"], { env: { ...project().env, ...env } })
        .status === 0;
    await project().until("sshd answers, or no sshd is installed", () => !sshd.isAlive || answers());
    if (!sshd.isAlive) skip(test, "no sshd can be started");
    return { env, stop: () => sshd.kill("SIGTERM") };
  }

  it("reports the result of each check, and leaves no files behind", async () => {
    const before = fs.readdirSync(project().directory);
    const { exitCode, stdout, stderr } = await project().run("fjord", ["doctor"]);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
    const [head, , ...lines] = stdout.split("\n");
    expect(head).to.match(new RegExp(`^${project().directory}, tested by two processes on \\S+$`));
    for (const [n, test] of TESTS.entries()) {
      expect(lines[n]).to.match(new RegExp(`^(ok|warning) +${test} +\\S.*; .*\\.$`));
    }
    expect(stdout).to.match(/\nfjord can work here.*\.\n$/);
    expect(fs.readdirSync(project().directory)).to.deep.equal(before);
  });

  it("tests any directory, and uses the settings in it", async () => {
    const dir = path.join(project().root, "any where");
    fs.mkdirSync(dir);
    fs.writeFileSync(path.join(dir, "settings.ini"), "[fjord]\nstore = network\n");
    const { directory, hosts, findings } = await diagnosis(["../any where"], 0);
    expect(directory).to.equal(dir);
    expect(hosts[0]).to.equal(hosts[1]);
    expect(findings.map(({ test }) => test)).to.deep.equal(TESTS);
    const { found } = findings.find(({ test }) => test === "file system") ?? {};
    expect(found).to.contain("counts as network, as settings.ini says");
    const races = findings.find(({ test }) => test === "exclusive create")?.measured as Record<
      string,
      number
    >;
    expect(races).to.include({ names: 300, both: 0 });
    expect((races.ours ?? 0) + (races.theirs ?? 0)).to.equal(300);
    expectNothingLeft(dir);
  });

  it("refuses a path that is not a directory", async () => {
    const { exitCode, stderr } = await project().run("fjord", ["doctor", "./nowhere"]);
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain(`There is no directory "${project().work}/nowhere".`);
  });

  it("reports a directory as bad when no file can be created in it", async function () {
    const dir = "/proc/self";
    if (!fs.existsSync(dir)) skip(this, "there is no /proc");
    const { findings } = await diagnosis([dir], 1);
    expect(findings).to.have.length(1);
    expect(findings[0]).to.include({ test: "permissions", verdict: "bad" });
  });

  it("warns when files cannot be executed there, and when a power failure loses the directory", async function () {
    const dir = path.join(project().root, "mount");
    fs.mkdirSync(dir);
    const mounting = 'mount -t tmpfs -o noexec,size=2g,nr_inodes=20k tmpfs "$1"';
    if (spawnSync("unshare", ["--mount", "sh", "-c", mounting, "sh", dir]).status !== 0) {
      skip(this, "no file system can be mounted");
    }
    const script = `${mounting} && shift && "$@" && ls -A "${dir}"`;
    const doctor = [process.execPath, binary("fjord"), "doctor", "--json", dir];
    const { exitCode, stdout } = await project().startProgram("unshare", [
      ...["--mount", "sh", "-c", script, "sh", dir],
      ...doctor,
    ]).end;
    expect(exitCode).to.equal(0);
    const [json = "", ...left] = stdout.trim().split("\n");
    expect(left).to.deep.equal([]);
    const { findings } = JSON.parse(json) as Diagnosis;
    const warnings = findings.filter(({ verdict }) => verdict === "warning").map(({ test }) => test);
    expect(warnings).to.include.members(["file system", "permissions"]);
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
    it(`leaves no files behind when ${signal} ends it`, async () => {
      const doctor = project().start("fjord", ["doctor"]);
      await project().until("the doctor is at work", () =>
        scratches(project().directory).some(
          (name) =>
            fs.existsSync(path.join(project().directory, name, "clock")) ||
            fs.readdirSync(path.join(project().directory, name)).length > 2,
        ),
      );
      doctor.kill(signal);
      const { exitCode } = await doctor.end;
      if (signal !== "SIGKILL") expect(exitCode).to.equal(130);
      await project().until("no file is left", () => scratches(project().directory).length === 0);
    });
  }

  describe("--from", () => {
    it("runs the second process over ssh", async () => {
      const { hosts, findings } = await diagnosis(["--from", "node8"], 0, bin({ ssh: SSH }));
      expect(hosts).to.have.length(2);
      expect(findings.map(({ test }) => test)).to.deep.equal(TESTS);
      const log = fs.readFileSync(path.join(project().root, "ssh.log"), "utf8").split("\n");
      expect(log.slice(0, 2)).to.deep.equal(["--", "node8"]);
      expect(log[2]).to.match(/^'fjord' 'doctor' '--peer' '.*\/\.fjord-doctor-\w+'$/);
      expectNothingLeft();
    });

    it("ignores the greeting that the other host's shell prints first", async () => {
      const chatty = SSH.replace("exec sh", "echo Welcome; echo '{\"id\": oops'; exec sh");
      await diagnosis(["--from", "node8"], 0, bin({ ssh: chatty }));
    });

    it("reports the host as bad when the host does not exist or has no fjord", async () => {
      const env = bin({ ssh: "#!/bin/sh\necho 'ssh: Could not resolve hostname node8' >&2\nexit 255\n" });
      const { findings } = await diagnosis(["--from", "node8"], 1, env);
      expect(findings).to.have.length(1);
      expect(findings[0]).to.include({
        test: "other host",
        verdict: "bad",
        found: "no fjord answers on node8: ssh: Could not resolve hostname node8",
      });
      expectNothingLeft();
    });

    it("reports the host as bad when the host goes away during the tests", async () => {
      const dying = SSH.replace(/exec sh -c.*\n/, 'sed -u "/create/q" | sh -c "$*"\n');
      const { findings } = await diagnosis(["--from", "node8"], 1, bin({ ssh: dying }));
      expect(findings.map(({ verdict }) => verdict)).to.deep.equal(["bad"]);
      expectNothingLeft();
    });

    it("reports the host as bad when the host does not see the directory", async () => {
      const elsewhere = SSH.replace('"$*"', '"$(echo "$*" | sed \'s,/home/test/,/home/other/,\')"');
      const { findings } = await diagnosis(["--from", "node8"], 1, bin({ ssh: elsewhere }));
      expect(findings).to.have.length(1);
      expect(findings[0]?.found).to.contain("does not find this directory under this path");
    });

    it("says that ssh is not installed", async () => {
      const env = { PATH: project().root };
      const { findings } = await diagnosis(["--from", "node8"], 1, env);
      expect(findings[0]?.found).to.equal("no fjord answers on node8: spawn ssh ENOENT");
    });

    for (const host of sized([], ["here"])) {
      it("works over a real sshd", async function () {
        const { env, stop } = await realSsh(this);
        try {
          const { findings } = await diagnosis(["--from", host], 0, env);
          expect(findings.map(({ test }) => test)).to.deep.equal(TESTS);
          expectNothingLeft();
        } finally {
          stop();
        }
      });
    }

    it("does not pass an option of ssh as the host", async () => {
      const { exitCode } = await project().run("fjord", ["doctor", "--from=-oProxyCommand=true"]);
      expect(exitCode).to.equal(2);
    });
  });
});
