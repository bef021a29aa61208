import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { expectExplained } from "./errors.js";
import type { Orders } from "./faulty-writes.js";
import { Bench, type Daemon, Dice, QUICK, SEED, type StartOptions, until } from "./harness.js";
import { Scene } from "./scene.js";
import { IS_ALL } from "./strace.js";

const FAULTY_WRITES = fileURLToPath(new URL("faulty-writes.js", import.meta.url));
/** Faults for each daemon. */
const SAMPLE = IS_ALL ? Number.POSITIVE_INFINITY : 4;
/** So many daemons have faults, and then one lives on without. */
const ROUND = 4;
/** Calls that go wrong one after the other when it lasts a while. */
const A_WHILE = 5;

type Fault = Pick<Orders, "call" | "n" | "count" | "how">;

const NOTHING: Pick<Orders, "n" | "count" | "how"> = { n: 1, count: 0, how: "" };
const ERRORS = { write: ["half", "EIO", "ESTALE", "ENOSPC"], close: ["EIO", "ENOSPC", "ESTALE"] } as const;

describe("failpoints: a write that takes half, or none, and an error when a file is closed", function () {
  this.timeout(IS_ALL ? 0 : 120_000);
  this.slow(30_000);
  let bench: Bench;
  let runs = 0;
  let jobs = 0;

  before(function () {
    console.log(`    seed ${SEED}, ${SAMPLE} each (FJORD_TEST_SEED, FJORD_FAILPOINTS=all)`);
    if (!fs.existsSync("/proc/self/fd")) this.skip();
  });
  afterEach(async function () {
    await Scene.closeLedgers();
    await bench.dispose(this.currentTest?.isFailed() ?? false);
  });

  function faulty(fault: Fault): StartOptions & { readonly log: string } {
    const log = path.join(bench.base, `writes${runs++}`);
    const orders: Orders = { root: bench.root, log, ...fault };
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
    bench.submit({ job: `a${n}`, ends: "jobdone" }, bench.line(0));
    bench.submit({ job: `b${n}`, ends: "jobfailed", retries: 1 }, bench.line(0, 1));
    bench.submit({ job: `c${n}`, ends: "jobdone" }, bench.line(0.02, "checkpoint"));
    bench.submitArray(`d${n}`, 3, bench.line(0));
  }

  /** @returns whether it has lived until all jobs had ended */
  async function untilGone(daemon: Daemon, farewell: NodeJS.Signals): Promise<boolean> {
    const isDone = () => !daemon.isAlive() || bench.unended().length === 0;
    await until("it has ended, or all jobs have", isDone, 60, () => bench.describe());
    const lives = daemon.isAlive();
    daemon.kill(farewell);
    await until("it has gone", () => !daemon.isAlive());
    return lives;
  }

  type Start = (options?: StartOptions) => Daemon;

  /** Every call of a kind, with everything that it can have; and one of that for a while. */
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

  /** What was not written is written again: no line of a ledger stays torn but where there was no more room. */
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
        await bench.untilEnded();
        bench.judge({ oneHost: true });
      } catch (error) {
        const round = some.slice(Math.max(0, index - ROUND + 1), index + 1);
        const told = [...round.map((one) => JSON.stringify(one)), ...linesOf(orders.log)];
        throw new Error(`${(error as Error).message}\nafter:\n${told.join("\n")}`);
      }
    }
    console.log(`      ${given} of ${all.length} faults, ${deaths} ended for them`);
    expect(given).to.be.at.least(some.length / 4);
    await bench.closeDown();
  }

  for (const store of ["local", "network"] as const) {
    const settings = { ...QUICK, store, settle: "0.3 s", retry_backoff: "0.05 s", flush: "no" };

    const worker = async () => {
      bench = new Bench(settings);
      bench.dispatcher();
      await sweep((options) => bench.worker(options), submitSome, "SIGTERM");
    };

    const dispatcher = async () => {
      bench = new Bench(settings);
      const scene = new Scene(bench, store);
      let dead = 0;
      const prepare = async () => {
        await scene.deadDesk(`dead${dead++}`, [`x${dead}`, `y${dead}`, `z${dead}`]);
        submitSome();
      };
      bench.worker();
      await bench.onDuty(1);
      await sweep((options) => bench.dispatcher(options), prepare, "SIGINT");
    };
    // In a sample one of them is on a network, the other not.
    const isWorkers = (SEED % 2 === 0) === (store === "local");
    if (IS_ALL || isWorkers) it(`of a worker, ${store}`, worker);
    if (IS_ALL || !isWorkers) it(`of a dispatcher, ${store}`, dispatcher);
  }
});
