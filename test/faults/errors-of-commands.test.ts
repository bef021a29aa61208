import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { CALLS, Consequences, expectExplained, type Fault, failAt, faultsAt, hitsIn } from "./errors.js";
import { Bench, Dice, QUICK, SEED } from "./harness.js";
import { Scene } from "./scene.js";
import { type Failpoint, failpointsOf, IS_ALL, needsStrace, sample, trace } from "./strace.js";

/** Errors for each command. */
const SAMPLE = IS_ALL ? Number.POSITIVE_INFINITY : 2;
/** Commands that run at a time. */
const AT_ONCE = 4;

/** Something that a command does to one job, or to one worker. */
interface Deed {
  readonly command: string;
  readonly args: (name: string) => string[];
  /** Brings about what it is done to. */
  readonly prepare: (name: string) => void | Promise<void>;
  /** Whether it has been done. */
  readonly isDone: (name: string) => boolean;
}

describe("failpoints: an error at one exact call of a command, or for a while from there on", function () {
  this.timeout(IS_ALL ? 0 : 120_000);
  this.slow(60_000);
  let bench: Bench;
  let scene: Scene;
  let editor: string;
  let runs = 0;
  /** Calls that all commands make when they open the project: one of them is enough to be tested. */
  let known = new Set<string>();

  before(function () {
    needsStrace(this, `${SAMPLE} errors for each command`);
  });
  beforeEach(() => {
    bench = new Bench({ ...QUICK, flush: "yes" });
    scene = new Scene(bench);
    editor = path.join(bench.base, "editor");
    fs.writeFileSync(editor, '#!/bin/sh\necho "# edited" >>"$1"\n', { mode: 0o755 });
  });
  afterEach(async function () {
    await Scene.closeLedgers();
    await bench.dispose(this.currentTest?.isFailed() ?? false);
  });

  const submit = (job: string, more: { mayBeCancelled?: true; ends?: "jobdone" }) =>
    bench.submit({ job, ...more }, bench.line(0));
  const jobFile = (name: string) => path.join(bench.directory, `${name}.ini`);
  const put = (name: string, from: string, to: string) =>
    fs.renameSync(bench.path(from, `${name}.ini`), bench.path(to, `${name}.ini`));

  const DEEDS: Deed[] = [
    {
      command: "fjord submit",
      args: (name) => ["submit", jobFile(name)],
      prepare: (name) => fs.writeFileSync(jobFile(name), `[control]\nexecutable: ${bench.line(0)}\n`),
      isDone: (name) => bench.has("jobqueue", `${name}.ini`),
    },
    {
      command: "fjord cancel",
      args: (name) => ["cancel", name],
      prepare: (name) => submit(name, { mayBeCancelled: true }),
      isDone: (name) => bench.has("jobcancelled", `${name}.ini`),
    },
    {
      command: "fjord hold",
      args: (name) => ["hold", name],
      prepare: (name) => submit(name, { ends: "jobdone" }),
      isDone: (name) => bench.has("jobheld", `${name}.ini`),
    },
    {
      command: "fjord release",
      args: (name) => ["release", name],
      prepare(name) {
        submit(name, { ends: "jobdone" });
        put(name, "jobqueue", "jobheld");
      },
      isDone: (name) => bench.has("jobqueue", `${name}.ini`),
    },
    {
      command: "fjord retry",
      args: (name) => ["retry", name],
      prepare(name) {
        submit(name, { ends: "jobdone", mayBeCancelled: true });
        put(name, "jobqueue", "jobcancelled");
      },
      isDone: (name) => bench.has("jobqueue", `${name}.ini`),
    },
    {
      command: "fjord edit",
      args: (name) => ["edit", name],
      prepare: (name) => submit(name, { ends: "jobdone" }),
      // Where it could not go back, it is held.
      isDone: (name) =>
        ["jobqueue", "jobheld"].some((room) => bench.read(room, `${name}.ini`).includes("# edited")),
    },
    {
      command: "recruiter fire",
      args: (name) => ["fire", name],
      prepare: (name) => scene.deadDesk(name, [`${name}x`, `${name}y`, `${name}z`]),
      // What has no job on it is cleared away when the next roll is called.
      isDone: (name) =>
        !bench.has("workerqueue", `${name}.ini`) &&
        bench.list("jobpod", `${name}.lost`).every((file) => file.startsWith(".")),
    },
    {
      command: "recruiter hire",
      args: () => ["hire", "1"],
      prepare: () => undefined,
      isDone: () => bench.workers().length > 0,
    },
  ];

  /** A path as it is in every run. */
  function shapeOf({ call, line }: Failpoint): string {
    return `${call} ${line.replace(/\d+(?=<)|0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|fjord-faults-\w+/g, "*")}`;
  }

  async function run({ command, args }: Deed, name: string, prefix: readonly string[] = []) {
    const [program = ""] = command.split(" ");
    const env = { VISUAL: editor };
    const daemon = bench.command(program, args(name), { prefix, env, mayFail: true });
    await daemon.ended;
    return daemon;
  }

  async function pointsOf(deed: Deed): Promise<Failpoint[]> {
    const file = path.join(bench.base, "trace");
    const name = `n${runs++}`;
    await deed.prepare(name);
    const daemon = await run(deed, name, trace(file, CALLS).prefix);
    expect(daemon.exitCode, daemon.output).to.equal(0);
    expect(deed.isDone(name)).to.equal(true);
    if (deed.command === "fjord submit") bench.accepted.push({ job: name, ends: "jobdone" });
    const points = failpointsOf(file, bench.root);
    const news = points.filter((point) => !known.has(shapeOf(point)));
    if (known.size === 0) known = new Set(points.map(shapeOf));
    return news;
  }

  /**
   * Does a deed once for each fault, with that, and a second time where it was not done.
   *
   * @returns how many faults there were: what is asked for again and again is not asked for as often each time
   */
  async function sweep(deed: Deed, faults: readonly Fault[]): Promise<number> {
    const consequences = new Consequences();
    let given = 0;
    const suffer = async (fault: Fault) => {
      const name = `n${runs++}`;
      const log = path.join(bench.base, `log.${name}`);
      await deed.prepare(name);
      const daemon = await run(deed, name, failAt([fault], log).prefix);
      const hits = hitsIn(log, bench.root);
      const ours = hits.filter((hit) => hit !== undefined);
      try {
        expectExplained(daemon, hits);
        // Who says that it has done it has.
        if (daemon.exitCode === 0) expect(deed.isDone(name), "done").to.equal(true);
        if (!deed.isDone(name)) await run(deed, name);
        expect(deed.isDone(name), "done at the second time").to.equal(true);
      } catch (error) {
        const lines = ours.map(({ line }) => line).join("\n");
        const { message } = error as Error;
        throw new Error(`${deed.command} ${name}: ${message}\n${daemon.output}\nerrors at:\n${lines}`);
      }
      if (deed.command === "fjord submit") bench.accepted.push({ job: name, ends: "jobdone" });
      consequences.note(ours, daemon.exitCode === 0 ? "went on" : "ended");
      if (ours.length > 0) given++;
    };
    const isHire = deed.command === "recruiter hire";
    const atOnce = isHire ? 1 : AT_ONCE;
    for (let n = 0; n < faults.length; n += atOnce) {
      await Promise.all(faults.slice(n, n + atOnce).map(suffer));
      if (isHire) await bench.run("recruiter", "fire", "--wait");
      bench.judge({ oneHost: true });
    }
    console.log(`      ${deed.command}: ${given} of ${faults.length} errors. ${consequences}`);
    return given;
  }

  it("says so or goes on, and at the next time it is done", async () => {
    const dice = new Dice(SEED);
    // In a sample every other one, as the seed has it.
    const deeds = DEEDS.filter((_, n) => IS_ALL || n % 2 === SEED % 2);
    let [given, all] = [0, 0];
    for (const deed of deeds) {
      const faults = sample(faultsAt(await pointsOf(deed), dice), dice, SAMPLE);
      given += await sweep(deed, faults);
      all += faults.length;
    }
    expect(given).to.be.at.least(all / 2);
    await bench.run("fjord", "release", "*");
    bench.dispatcher();
    bench.worker();
    await bench.untilEnded();
    await bench.closeDown();
  });
});
