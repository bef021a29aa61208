import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { binary, type CommandName, type RunningCommand } from "../rig/command.js";
import { processesWith } from "../rig/processes.js";
import { sized } from "../rig/sized.js";
import { projectPerTest, skip } from "../rig/with-project.js";

/** Paths of the files that a process has open. */
function filesOf(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  try {
    return fs.readdirSync(directory).map((fd) => fs.readlinkSync(path.join(directory, fd)));
  } catch {
    return []; // The process has ended.
  }
}

describe("files that are open in the shell that starts a daemon", () => {
  const project = projectPerTest();

  before(function () {
    if (process.platform !== "linux") skip(this, "only /proc tells what a process has open");
  });

  /**
   * Starts a command from a shell that holds locks on descriptors with low and high numbers, adjacent and
   * apart.
   */
  function startHolding(name: CommandName, ...args: string[]): RunningCommand {
    const holding = 'exec 5>lock 9>lock 16>lock 63>lock 64>lock 200>lock 1000>lock; exec "$@"';
    return project().startProgram("bash", ["-c", holding, "bash", process.execPath, binary(name), ...args]);
  }

  function holders(except?: number): string[] {
    const lock = path.join(project().work, "lock");
    return processesWith(project().root)
      .filter(({ pid }) => pid !== except && filesOf(pid).includes(lock))
      .map(({ command }) => command);
  }

  it("are closed in a hired worker, in its job, and in a dispatcher's callback", async () => {
    expect(await startHolding("recruiter", "hire", "1").end).to.include({ exitCode: 0 });
    expect(holders()).to.deep.equal([]);
    project().job("open files", "exec ls /proc/self/fd #");
    await startHolding("dispatcher", "--callback", "ls /proc/self/fd > callback.txt").end;
    expect(project().log("open files")).to.equal("0\n1\n2\n3\n"); // The command ls opens descriptor 3 itself.
    expect(fs.readFileSync(path.join(project().work, "callback.txt"), "utf8")).to.equal("0\n1\n2\n3\n");
  });

  it("are closed in the jobs of fjord run", async () => {
    const { stdout } = await startHolding("fjord", "run", "-j1", "--", "ls", "/proc/self/fd").end;
    expect(stdout).to.equal("0\n1\n2\n3\n");
  });

  it("are closed in the shells and jobs of a worker in a terminal", async () => {
    const worker = startHolding("worker");
    await project().until("the worker is on duty", () => project().workers.length === 1);
    expect(holders(worker.pid)).to.deep.equal([]);
    expect(processesWith(project().root).length).to.be.greaterThan(1);
  });

  for (const tool of sized([], ["tmux", "screen"])) {
    it(`are closed in a session of ${tool}, and in its server`, async function () {
      const hire = await startHolding("recruiter", "hire", "1", "--via", tool).end;
      if (hire.stderr.includes("not installed")) skip(this, `${tool} is not installed`);
      expect(hire).to.include({ exitCode: 0 });
      expect(project().workers).to.have.length(1);
      expect(holders()).to.deep.equal([]);
    });
  }
});
