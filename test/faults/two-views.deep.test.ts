import fs from "node:fs";
import { expect } from "chai";
import type { RunningCommand } from "../rig/command.js";
import { SEED } from "../rig/dice.js";
import { isAlive } from "../rig/processes.js";
import { type Host, Server } from "./views.js";
import { QUICK, witnessedProjectPerTest } from "./witnessed-project.js";

/**
 * A lease of three seconds, and a settle time that is longer than the caches in `CACHED` keep entries. The caches in `STALE`
 * keep entries longer than the lease.
 */
const SETTINGS = { ...QUICK, beat: "0.3 s", lost_after: "10", settle: "4 s", retry_backoff: "0.1 s" };

/** The mount options that docs/network.md recommends. */
const FRESH = ["dir_cache=no", "reconnect"];
/**
 * Listings and attributes are cached, as sshfs does by default, but for 1 s and not for 20 s. An old entry shows for up to 3 s,
 * because sshfs counts in whole seconds, so it keeps the entry for up to 2 s, and the kernel keeps what sshfs answers for 1 s.
 */
const CACHED = ["dcache_timeout=1"];
/** Caches that outlive the lease. A host that comes back sees the old state for a while. */
const STALE = ["dcache_timeout=4", "entry_timeout=4", "attr_timeout=4"];

describe("two views: hosts that mount the project by sshfs, and see changes late or not at all", function () {
  this.timeout(120_000);
  this.slow(30_000);
  let server: Server | undefined;

  before(async function () {
    console.log(`    seed ${SEED}`);
    const started = await Server.start();
    if (typeof started === "string") {
      console.log(`    skipped: ${started}`);
      return this.skip();
    }
    server = started;
  });
  after(() => server?.close());
  // This has to run before the hook of witnessedProjectPerTest, because a process that hangs in a mount cannot be
  // killed.
  afterEach(() => server?.unmountAll());
  const project = witnessedProjectPerTest(SETTINGS);

  /** Mounts the project once for each host, with the same options. */
  async function hosts<T extends readonly string[]>(
    names: readonly [...T],
    options: readonly string[],
  ): Promise<{ [K in keyof T]: Host }> {
    const all = names.map((name) => (server as Server).host(name, project(), ...options));
    return (await Promise.all(all)) as { [K in keyof T]: Host };
  }

  const dispatcherOn = ({ prefix }: Host, ...args: string[]): RunningCommand =>
    project().command("dispatcher", args, { prefix });
  const workerOn = ({ prefix }: Host): RunningCommand => project().worker({ prefix });
  const wait = (what: string, condition: () => boolean) => project().until(what, condition);

  async function started(dispatcher: RunningCommand): Promise<void> {
    await wait("the dispatcher dispatches", () => dispatcher.output.includes("Started on"));
  }

  /** Submits a job as a person on that host does. */
  async function submitOn({ prefix }: Host, job: string): Promise<void> {
    const file = `${project().work}/${job}.ini`;
    fs.writeFileSync(file, `[control]\nexecutable: ${project().line(0)}\n`);
    const submit = project().command("fjord", ["submit", file], { prefix });
    await submit.exit;
    expect(submit.exitCode, submit.output).to.equal(0);
    project().accepted.push({ job, ends: "jobdone" });
  }

  it("every job ends once when hosts see changes late, and the dispatcher reports how", async () => {
    const [a, c] = await hosts(["nodea", "nodec"], CACHED);
    const [b] = await hosts(["nodeb"], FRESH);
    const daemons = [workerOn(b), workerOn(c)];
    await project().onDuty(2);
    for (let n = 0; n < 10; n++) {
      const fails = n % 5 === 3;
      project().submit(
        { job: `job${n}`, ends: fails ? "jobfailed" : "jobdone", retries: 1 },
        project().line(0.05, fails ? 1 : 0),
      );
    }
    await Promise.all([submitOn(a, "from-a"), submitOn(b, "from-b")]);
    const dispatcher = dispatcherOn(a);
    await wait("the dispatcher has reported that all jobs have ended", () => !dispatcher.isAlive);
    expect(project().unended(), dispatcher.output).to.deep.equal([]);
    expect(dispatcher.output).to.include("10 succeeded, 2 failed");
    expect(dispatcher.exitCode).to.equal(1);
    expect(
      project()
        .events("hired")
        .map(({ worker }) => worker?.split("-")[0]),
    ).to.have.members(["nodeb", "nodec"]);
    expect(daemons.every((daemon) => daemon.isAlive)).to.equal(true);
    await project().closeDown({ hasFuse: true });
  });

  describe("a worker on a host", () => {
    for (const [what, options, lose] of [
      ["that is cut off for longer than the lease", STALE, () => undefined],
      ["whose connection breaks for longer than the lease", FRESH, (b: Host) => b.link.tear()],
    ] as const) {
      it(`${what} kills its job before the job runs elsewhere, and comes back to work`, async () => {
        const [a, c] = await hosts(["nodea", "nodec"], FRESH);
        const [b] = await hosts(["nodeb"], options);
        const dispatcher = dispatcherOn(a, "--stay");
        const away = workerOn(b);
        await project().onDuty(1);
        const [before = ""] = project().workers;
        project().submit({ job: "long", ends: "jobdone" }, project().lineUntil("go"));
        const run = await project().untilRunning("long");
        b.link.cut();
        lose(b);
        workerOn(c);
        await wait("the worker is declared lost", () => project().events("lost").length > 0);
        expect(isAtWork(run), "the job of the lost worker still runs").to.equal(false);
        await project().untilRunning("long");
        project().raise("go");
        await project().untilEnded();
        b.link.join();
        const isBack = () => project().workers.some((id) => id !== before && id.startsWith("nodeb"));
        await wait("the worker is on duty under a new id", isBack);
        const published = project()
          .events("ended")
          .filter(({ to }) => to === "jobdone");
        expect(published.filter(({ worker }) => worker === before)).to.deep.equal([]);
        for (let n = 0; n < 10; n++)
          project().submit({ job: `later${n}`, ends: "jobdone" }, project().line(0.2));
        await project().untilEnded();
        const at = project()
          .events("ended")
          .map(({ worker }) => worker?.split("-")[0]);
        expect(at).to.include("nodeb");
        expect(away.isAlive && dispatcher.isAlive).to.equal(true);
        await project().closeDown({ hasFuse: true });
      });
    }
  });

  it("a standby elsewhere takes over when a dispatcher's host is cut off for longer than the lease", async () => {
    const [a, b, c] = await hosts(["nodea", "nodeb", "nodec"], FRESH);
    const first = dispatcherOn(a, "--stay");
    await started(first);
    const standby = dispatcherOn(b, "--stay");
    await wait("the standby stands by", () => standby.output.includes("standing by"));
    workerOn(c);
    await project().onDuty(1);
    for (let n = 0; n < 15; n++) project().submit({ job: `job${n}`, ends: "jobdone" }, project().line(0.2));
    await wait("some jobs are done", () => project().files.done.length > 2);
    a.link.cut();
    await started(standby);
    for (let n = 15; n < 25; n++) project().submit({ job: `job${n}`, ends: "jobdone" }, project().line(0));
    await project().untilEnded();
    a.link.join();
    // Either dispatcher may stand by. The lock's times are whole seconds here, so the lock may have looked old to the
    // first one.
    const stoodBy = () => `${first.output}${standby.output}`.split("standing by").length - 1;
    await wait("one of them stands by", () => stoodBy() === 2);
    project().submit({ job: "last", ends: "jobdone" }, project().line(0));
    await project().untilEnded();
    expect(project().events("dispatching").length, "the dispatchers take turns").to.be.at.most(3);
    expect(project().events("worker-lost")).to.deep.equal([]);
    expect(first.isAlive && standby.isAlive).to.equal(true);
    await project().closeDown({ hasFuse: true });
  });

  it("no worker is lost when hosts are cut off for less than the lease", async () => {
    const [a, b] = await hosts(["nodea", "nodeb"], FRESH);
    const dispatcher = dispatcherOn(a, "--stay");
    workerOn(b);
    await project().onDuty(1);
    project().submit({ job: "long", ends: "jobdone" }, project().lineUntil("go"));
    const run = await project().untilRunning("long");
    for (const { link } of [a, b]) {
      link.cut();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      link.join();
    }
    for (let n = 0; n < 5; n++) project().submit({ job: `job${n}`, ends: "jobdone" }, project().line(0));
    expect(isAtWork(run)).to.equal(true);
    project().raise("go");
    await project().untilEnded();
    for (const event of ["lost", "worker-lost", "discarded"] as const)
      expect(project().events(event)).to.deep.equal([]);
    expect(project().events("dispatching")).to.have.length(1);
    expect(dispatcher.isAlive).to.equal(true);
    await project().closeDown({ hasFuse: true });
  });
});

/** Flag PF_EXITING in field 9 of `stat` (proc(5)). The process is ending and waits for the files that it had open. */
const EXITING = 0x4;

/** Whether a process still runs. A killed process first closes its files, which may hang. */
function isAtWork(pid: number): boolean {
  if (!isAlive(pid)) return false;
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  const flags = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[6]);
  return (flags & EXITING) === 0;
}
