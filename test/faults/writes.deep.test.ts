import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { RunningCommand } from "../rig/command.js";
import { Dice, SEED } from "../rig/dice.js";
import { until } from "../rig/until.js";
import { expectExplained } from "./errors.js";
import type { Orders } from "./faulty-writes.js";
import { Scene } from "./scene.js";
import { IS_ALL } from "./strace.js";
import { QUICK, type StartOptions, WitnessedProject } from "./witnessed-project.js";

const FAULTY_WRITES = fileURLToPath(new URL("faulty-writes.js", import.meta.url));
/** Faults for each daemon. */
const SAMPLE = IS_ALL ? Number.POSITIVE_INFINITY : 4;
/** After this many daemons with faults, one daemon runs without faults. */
const ROUND = 4;
/** Number of calls in a row that fail when a fault lasts for a while. */
const A_WHILE = 5;

type Fault = Pick<Orders, "call" | "n" | "count" | "how">;

const NOTHING: Pick<Orders, "n" | "count" | "how"> = { n: 1, count: 0, how: "" };
const ERRORS = { write: ["half", "EIO", "ESTALE", "ENOSPC"], close: ["EIO", "ENOSPC", "ESTALE"] } as const;

describe("failpoints: a failed or half write, or a failed close, loses no job", function () {
  this.timeout(IS_ALL ? 0 : 120_000);
  this.slow(30_000);
  let project: WitnessedProject;
  let runs = 0;
  let jobs = 0;

  before(function () {
    console.log(`    seed ${SEED}, ${SAMPLE} each (FJORD_TEST_SEED, FJORD_FAILPOINTS=all)`);
    if (!fs.existsSync("/proc/self/fd")) this.skip();
  });
  afterEach(async function () {
    await Scene.closeLedgers();
    await project.dispose(this.currentTest?.isFailed() ?? false);
  });

  function faulty(fault: Fault): StartOptions & { readonly log: string } {
    const log = path.join(project.root, `writes${runs++}`);
    const orders: Orders = { root: project.directory, log, ...fault };
    const options = `${process.env.NODE_OPTIONS ?? ""} --import ${FAULTY_WRITES}`.trim();
    return {
      env: { NODE_OPTIONS: options, FJORD_TEST_FAULTY_WRITES: JSON.stringify(orders) },
      log,
      mayFail: true,
    };
  }

  const linesOf = (log: string) =>
    fs.existsSync(log) ? fs.readFileSync(log, "utf8").trimEnd().split("\n") : [];

  function submitSome(): void {
    const n = jobs++;
    project.submit({ job: `a${n}`, ends: "jobdone" }, project.line(0));
    project.submit({ job: `b${n}`, ends: "jobfailed", retries: 1 }, project.line(0, 1));
    project.submit({ job: `c${n}`, ends: "jobdone" }, project.line(0.02, "checkpoint"));
    project.submitArray(`d${n}`, 3, project.line(0));
  }

  /** @returns whether the daemon lived until all jobs had ended */
  async function untilGone(daemon: RunningCommand, farewell: NodeJS.Signals): Promise<boolean> {
    const isDone = () => !daemon.isAlive || project.unended().length === 0;
    await project.until("the daemon or all jobs have ended", isDone);
    const lives = daemon.isAlive;
    daemon.kill(farewell);
    await until("the daemon has ended", () => !daemon.isAlive);
    return lives;
  }

  type Start = (options?: StartOptions) => RunningCommand;

  /** Each possible fault at each call of a kind, once, and one of the faults for a while. */
  async function faultsOf(
    call: Orders["call"],
    dice: Dice,
    start: Start,
    prepare: () => void | Promise<void>,
    farewell: NodeJS.Signals,
  ): Promise<Fault[]> {
    await prepare();
    const well = faulty({ call, ...NOTHING });
    await untilGone(start(well), farewell);
    return linesOf(well.log).flatMap((_, at) => {
      const n = at + 1;
      const once = ERRORS[call].map((how) => ({ call, n, count: 1, how }));
      return [...once, { call, n, count: A_WHILE, how: dice.pick(ERRORS[call]) }];
    });
  }

  /**
   * Gives a sample of the faults to daemons. A failed write is repeated, so a ledger's line may stay torn only on a
   * full disk.
   */
  async function sweep(
    start: Start,
    prepare: () => void | Promise<void>,
    farewell: NodeJS.Signals,
  ): Promise<void> {
    const dice = new Dice(SEED);
    const all = [
      ...(await faultsOf("write", dice, start, prepare, farewell)),
      ...(await faultsOf("close", dice, start, prepare, farewell)),
    ];
    const some = [...all];
    while (some.length > SAMPLE) some.splice(Math.floor(dice.between(0, some.length)), 1);
    let given = 0;
    let deaths = 0;
    for (const [index, fault] of some.entries()) {
      await prepare();
      const orders = faulty(fault);
      try {
        const daemon = start(orders);
        if (!(await untilGone(daemon, farewell))) deaths++;
        expectExplained(daemon, []);
        if (linesOf(orders.log).some((line) => line.startsWith(fault.how))) given++;
        if (index % ROUND !== ROUND - 1 && index !== some.length - 1) continue;
        await untilGone(start(), farewell);
        await project.untilEnded();
        project.judge({ oneHost: true });
      } catch (error) {
        const round = some.slice(Math.max(0, index - ROUND + 1), index + 1);
        const told = [...round.map((one) => JSON.stringify(one)), ...linesOf(orders.log)];
        throw new Error(`${(error as Error).message}\nafter:\n${told.join("\n")}`);
      }
    }
    console.log(`      ${given} of ${all.length} faults, ${deaths} ended for them`);
    expect(given).to.be.at.least(some.length / 4);
    await project.closeDown();
  }

  for (const store of ["local", "network"] as const) {
    const settings = { ...QUICK, store, settle: "0.3 s", retry_backoff: "0.05 s", flush: "no" };

    const worker = async () => {
      project = new WitnessedProject(settings);
      project.dispatcher();
      await sweep((options) => project.worker(options), submitSome, "SIGTERM");
    };

    const dispatcher = async () => {
      project = new WitnessedProject(settings);
      const scene = new Scene(project, store);
      let dead = 0;
      const prepare = async () => {
        await scene.deadDesk(`dead${dead++}`, [`x${dead}`, `y${dead}`, `z${dead}`]);
        submitSome();
      };
      project.worker();
      await project.onDuty(1);
      await sweep((options) => project.dispatcher(options), prepare, "SIGINT");
    };
    // A sample tests the worker on one kind of store and the dispatcher on the other.
    const isWorkers = (SEED % 2 === 0) === (store === "local");
    if (IS_ALL || isWorkers) it(`in a worker, with a ${store} store`, worker);
    if (IS_ALL || !isWorkers) it(`in a dispatcher, with a ${store} store`, dispatcher);
  }
});
