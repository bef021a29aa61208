import fs from "node:fs";
import { expect } from "chai";
import { isAlive } from "../checker/evidence.js";
import { benches, type Daemon, QUICK, SEED, until } from "./harness.js";
import { type Host, Server } from "./views.js";

/** A lease of three seconds, and a settling time that is longer than what caches keep, but for the stale ones. */
const SETTINGS = { ...QUICK, beat: "0.3 s", lost_after: "10", settle: "2.5 s", retry_backoff: "0.1 s" };

/** What docs/network.md tells to mount with. */
const FRESH = ["dir_cache=no", "reconnect"];
/** Listings and attributes are kept, as sshfs does by default, but not for 20 s. */
const CACHED = ["dcache_timeout=1"];
/** Caches that outlive the lease: who comes back sees for a while what was. */
const STALE = ["dcache_timeout=4", "entry_timeout=4", "attr_timeout=4"];

describe("two views: hosts that have the project by sshfs, and see it late or not at all", function () {
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
  // Before the benches' own: whoever hangs in a mount cannot be killed.
  afterEach(() => server?.unmountAll());
  const bench = benches(SETTINGS);

  /** A mount each, with the same options. */
  async function hosts<T extends readonly string[]>(
    names: readonly [...T],
    options: readonly string[],
  ): Promise<{ [K in keyof T]: Host }> {
    const all = names.map((name) => (server as Server).host(name, bench(), ...options));
    return (await Promise.all(all)) as { [K in keyof T]: Host };
  }

  const dispatcherOn = ({ prefix }: Host, ...args: string[]): Daemon =>
    bench().command("dispatcher", args, { prefix });
  const workerOn = ({ prefix }: Host): Daemon => bench().worker({ prefix });
  const events = (event: string) =>
    bench()
      .ledger()
      .filter((line) => line.event === event);
  const wait = (what: string, condition: () => boolean) =>
    until(what, condition, 60, () => bench().describe());

  async function started(dispatcher: Daemon): Promise<void> {
    await wait("it dispatches", () => dispatcher.output.includes("Started on"));
  }

  /** One submits as a person does there. */
  async function submitOn({ prefix }: Host, job: string): Promise<void> {
    const file = `${bench().directory}/${job}.ini`;
    fs.writeFileSync(file, `[control]\nexecutable: ${bench().line(0)}\n`);
    const submit = bench().command("fjord", ["submit", file], { prefix });
    await submit.ended;
    expect(submit.exitCode, submit.output).to.equal(0);
    bench().accepted.push({ job, ends: "jobdone" });
  }

  it("that see changes late: every job ends once, and the dispatcher tells how", async () => {
    const [a, c] = await hosts(["nodea", "nodec"], CACHED);
    const [b] = await hosts(["nodeb"], FRESH);
    const daemons = [workerOn(b), workerOn(c)];
    await bench().onDuty(2);
    for (let n = 0; n < 10; n++) {
      const fails = n % 5 === 3;
      bench().submit(
        { job: `job${n}`, ends: fails ? "jobfailed" : "jobdone", retries: 1 },
        bench().line(0.05, fails ? 1 : 0),
      );
    }
    await Promise.all([submitOn(a, "from-a"), submitOn(b, "from-b")]);
    const dispatcher = dispatcherOn(a);
    await wait("all has ended by the dispatcher's word", () => !dispatcher.isAlive());
    expect(bench().unended(), dispatcher.output).to.deep.equal([]);
    expect(dispatcher.output).to.include("10 succeeded, 2 failed");
    expect(dispatcher.exitCode).to.equal(1);
    expect(events("hired").map(({ worker }) => worker?.split("-")[0])).to.have.members(["nodeb", "nodec"]);
    expect(daemons.every((daemon) => daemon.isAlive())).to.equal(true);
    await bench().closeDown();
  });

  describe("a worker's host", () => {
    for (const [what, options, lose] of [
      ["cut off for longer than the lease", STALE, () => undefined],
      [
        "whose connection breaks, and cannot be made for longer than the lease",
        FRESH,
        (b: Host) => b.link.tear(),
      ],
    ] as const) {
      it(`${what}: its job dies there before it is run elsewhere, and it comes back to work`, async () => {
        const [a, c] = await hosts(["nodea", "nodec"], FRESH);
        const [b] = await hosts(["nodeb"], options);
        const dispatcher = dispatcherOn(a, "--stay");
        const away = workerOn(b);
        await bench().onDuty(1);
        const [before = ""] = bench().workers();
        bench().submit({ job: "long", ends: "jobdone" }, bench().lineUntil("go"));
        const run = await bench().untilRunning("long");
        b.link.cut();
        lose(b);
        workerOn(c);
        await wait("it is declared lost", () => events("lost").length > 0);
        expect(isAtWork(run), "its job lives on").to.equal(false);
        await bench().untilRunning("long");
        bench().raise("go");
        await bench().untilEnded();
        b.link.join();
        const isBack = () =>
          bench()
            .workers()
            .some((id) => id !== before && id.startsWith("nodeb"));
        await wait("it is on duty under a new id", isBack);
        const published = events("ended").filter(({ to }) => to === "jobdone");
        expect(published.filter(({ worker }) => worker === before)).to.deep.equal([]);
        for (let n = 0; n < 10; n++) bench().submit({ job: `later${n}`, ends: "jobdone" }, bench().line(0.2));
        await bench().untilEnded();
        const at = events("ended").map(({ worker }) => worker?.split("-")[0]);
        expect(at).to.include("nodeb");
        expect(away.isAlive() && dispatcher.isAlive()).to.equal(true);
        await bench().closeDown();
      });
    }
  });

  it("a dispatcher's host that is cut off for longer than the lease: a standby elsewhere takes over", async () => {
    const [a, b, c] = await hosts(["nodea", "nodeb", "nodec"], FRESH);
    const first = dispatcherOn(a, "--stay");
    await started(first);
    const standby = dispatcherOn(b, "--stay");
    await wait("the other stands by", () => standby.output.includes("standing by"));
    workerOn(c);
    await bench().onDuty(1);
    for (let n = 0; n < 15; n++) bench().submit({ job: `job${n}`, ends: "jobdone" }, bench().line(0.2));
    await wait("some are done", () => bench().list("jobdone").length > 2);
    a.link.cut();
    await started(standby);
    for (let n = 15; n < 25; n++) bench().submit({ job: `job${n}`, ends: "jobdone" }, bench().line(0));
    await bench().untilEnded();
    a.link.join();
    // The first one; or the other, if the seat's lock, in whole seconds here, has just looked old to the first.
    const stoodBy = () => `${first.output}${standby.output}`.split("standing by").length - 1;
    await wait("one of them stands by", () => stoodBy() === 2);
    bench().submit({ job: "last", ends: "jobdone" }, bench().line(0));
    await bench().untilEnded();
    expect(events("dispatching").length, "the seat goes to and fro").to.be.at.most(3);
    expect(events("worker-lost")).to.deep.equal([]);
    expect(first.isAlive() && standby.isAlive()).to.equal(true);
    await bench().closeDown();
  });

  it("hosts that are cut off for less than the lease: nobody is lost", async () => {
    const [a, b] = await hosts(["nodea", "nodeb"], FRESH);
    const dispatcher = dispatcherOn(a, "--stay");
    workerOn(b);
    await bench().onDuty(1);
    bench().submit({ job: "long", ends: "jobdone" }, bench().lineUntil("go"));
    const run = await bench().untilRunning("long");
    for (const { link } of [a, b]) {
      link.cut();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      link.join();
    }
    for (let n = 0; n < 5; n++) bench().submit({ job: `job${n}`, ends: "jobdone" }, bench().line(0));
    expect(isAtWork(run)).to.equal(true);
    bench().raise("go");
    await bench().untilEnded();
    expect(["lost", "worker-lost", "discarded"].flatMap(events)).to.deep.equal([]);
    expect(events("dispatching")).to.have.length(1);
    expect(dispatcher.isAlive()).to.equal(true);
    await bench().closeDown();
  });
});

/** Flag of proc(5), `stat`, field 9: it is on its way out (PF_EXITING), and waits for the files that it had open. */
const EXITING = 0x4;

/** Whether a process still does something: one that was killed closes its files first, and that may hang. */
function isAtWork(pid: number): boolean {
  if (!isAlive(pid)) return false;
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  const flags = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[6]);
  return (flags & EXITING) === 0;
}
