import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import type { CommandName } from "../rig/command.js";
import { Dice, SEED } from "../rig/dice.js";
import { CALLS, Consequences, expectExplained, type Fault, failAt, faultsAt, hitsIn } from "./errors.js";
import { Scene } from "./scene.js";
import { type Failpoint, failpointsOf, IS_ALL, needsStrace, sample, trace } from "./strace.js";
import { QUICK, WitnessedProject } from "./witnessed-project.js";

/** Errors for each command. */
const SAMPLE = IS_ALL ? Number.POSITIVE_INFINITY : 2;
/** Number of commands that run at the same time. */
const AT_ONCE = 4;

/** An action of a command on one job or one worker. */
interface Deed {
  readonly command: string;
  readonly args: (name: string) => string[];
  /** Makes the job or worker on which the command acts. */
  readonly prepare: (name: string) => void | Promise<void>;
  /** Whether the command has done its work. */
  readonly isDone: (name: string) => boolean;
}

describe("failpoints: an error at one exact call of a command, or for a while from then on", function () {
  this.timeout(IS_ALL ? 0 : 120_000);
  this.slow(60_000);
  let project: WitnessedProject;
  let scene: Scene;
  let editor: string;
  let runs = 0;
  /** Calls that all commands make when they open the project. It is enough to test one command with these. */
  let known = new Set<string>();

  before(function () {
    needsStrace(this, `${SAMPLE} errors for each command`);
  });
  beforeEach(() => {
    project = new WitnessedProject({ ...QUICK, flush: "yes" });
    scene = new Scene(project);
    editor = path.join(project.root, "editor");
    fs.writeFileSync(editor, '#!/bin/sh\necho "# edited" >>"$1"\n', { mode: 0o755 });
  });
  afterEach(async function () {
    await Scene.closeLedgers();
    await project.dispose(this.currentTest?.isFailed() ?? false);
  });

  const submit = (job: string, more: { mayBeCancelled?: true; ends?: "jobdone" }) =>
    project.submit({ job, ...more }, project.line(0));
  const jobFile = (name: string) => path.join(project.work, `${name}.ini`);
  const put = (name: string, from: string, to: string) =>
    fs.renameSync(project.path(from, `${name}.ini`), project.path(to, `${name}.ini`));

  const DEEDS: Deed[] = [
    {
      command: "fjord submit",
      args: (name) => ["submit", jobFile(name)],
      prepare: (name) => fs.writeFileSync(jobFile(name), `[control]\nexecutable: ${project.line(0)}\n`),
      isDone: (name) => project.files.queued.includes(`${name}.ini`),
    },
    {
      command: "fjord cancel",
      args: (name) => ["cancel", name],
      prepare: (name) => submit(name, { mayBeCancelled: true }),
      isDone: (name) => project.files.cancelled.includes(`${name}.ini`),
    },
    {
      command: "fjord hold",
      args: (name) => ["hold", name],
      prepare: (name) => submit(name, { ends: "jobdone" }),
      isDone: (name) => project.files.held.includes(`${name}.ini`),
    },
    {
      command: "fjord release",
      args: (name) => ["release", name],
      prepare(name) {
        submit(name, { ends: "jobdone" });
        put(name, "jobqueue", "jobheld");
      },
      isDone: (name) => project.files.queued.includes(`${name}.ini`),
    },
    {
      command: "fjord retry",
      args: (name) => ["retry", name],
      prepare(name) {
        submit(name, { ends: "jobdone", mayBeCancelled: true });
        put(name, "jobqueue", "jobcancelled");
      },
      isDone: (name) => project.files.queued.includes(`${name}.ini`),
    },
    {
      command: "fjord edit",
      args: (name) => ["edit", name],
      prepare: (name) => submit(name, { ends: "jobdone" }),
      // An edited job that could not go back into the queue is held.
      isDone: (name) =>
        ["jobqueue", "jobheld"].some((room) => project.read(room, `${name}.ini`).includes("# edited")),
    },
    {
      command: "recruiter fire",
      args: (name) => ["fire", name],
      prepare: (name) => scene.deadDesk(name, [`${name}x`, `${name}y`, `${name}z`]),
      // Files that are not jobs stay until the next roll call.
      isDone: (name) =>
        !project.has("workerqueue", `${name}.ini`) &&
        project.list("jobpod", `${name}.lost`).every((file) => file.startsWith(".")),
    },
    {
      command: "recruiter hire",
      args: () => ["hire", "1"],
      prepare: () => undefined,
      isDone: () => project.workers.length > 0,
    },
  ];

  /** The failpoint without the parts that differ in each run. */
  function shapeOf({ call, line }: Failpoint): string {
    return `${call} ${line.replace(/\d+(?=<)|0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|fjord-test-\w+/g, "*")}`;
  }

  async function run({ command, args }: Deed, name: string, prefix: readonly string[] = []) {
    const [program] = command.split(" ") as [CommandName];
    const env = { VISUAL: editor, TMPDIR: project.root };
    const daemon = project.command(program, args(name), { prefix, env, mayFail: true });
    await daemon.exit;
    return daemon;
  }

  async function pointsOf(deed: Deed): Promise<Failpoint[]> {
    const file = path.join(project.root, "trace");
    const name = `n${runs++}`;
    await deed.prepare(name);
    const daemon = await run(deed, name, trace(file, CALLS).prefix);
    expect(daemon.exitCode, daemon.output).to.equal(0);
    expect(deed.isDone(name)).to.equal(true);
    if (deed.command === "fjord submit") project.accepted.push({ job: name, ends: "jobdone" });
    const points = failpointsOf(file, project.directory);
    const news = points.filter((point) => !known.has(shapeOf(point)));
    if (known.size === 0) known = new Set(points.map(shapeOf));
    return news;
  }

  /**
   * Runs a command once for each fault, and again without a fault when its work was not done.
   *
   * @returns how many faults there were. A call that is repeated until it succeeds may not come as often in each run.
   */
  async function sweep(deed: Deed, faults: readonly Fault[]): Promise<number> {
    const consequences = new Consequences();
    let given = 0;
    const suffer = async (fault: Fault) => {
      const name = `n${runs++}`;
      const log = path.join(project.root, `log.${name}`);
      await deed.prepare(name);
      const daemon = await run(deed, name, failAt([fault], log).prefix);
      const hits = hitsIn(log, project.directory);
      const ours = hits.filter((hit) => hit !== undefined);
      try {
        expectExplained(daemon, hits);
        // A command that ends with exit code 0 must have done its work.
        if (daemon.exitCode === 0) expect(deed.isDone(name), "done").to.equal(true);
        if (!deed.isDone(name)) await run(deed, name);
        expect(deed.isDone(name), "done at the second time").to.equal(true);
      } catch (error) {
        const lines = ours.map(({ line }) => line).join("\n");
        const { message } = error as Error;
        throw new Error(`${deed.command} ${name}: ${message}\n${daemon.output}\nerrors at:\n${lines}`);
      }
      if (deed.command === "fjord submit") project.accepted.push({ job: name, ends: "jobdone" });
      consequences.note(ours, daemon.exitCode === 0 ? "went on" : "ended");
      if (ours.length > 0) given++;
    };
    const isHire = deed.command === "recruiter hire";
    const atOnce = isHire ? 1 : AT_ONCE;
    for (let n = 0; n < faults.length; n += atOnce) {
      await Promise.all(faults.slice(n, n + atOnce).map(suffer));
      if (isHire) await project.run("recruiter", ["fire", "--wait"]);
      project.judge({ oneHost: true });
    }
    console.log(`      ${deed.command}: ${given} of ${faults.length} errors. ${consequences}`);
    return given;
  }

  it("is reported or survived, and the command succeeds when it is repeated", async () => {
    const dice = new Dice(SEED);
    // A sample takes every second command. The seed decides which half.
    const deeds = DEEDS.filter((_, n) => IS_ALL || n % 2 === SEED % 2);
    let [given, all] = [0, 0];
    for (const deed of deeds) {
      const faults = sample(faultsAt(await pointsOf(deed), dice), dice, SAMPLE);
      given += await sweep(deed, faults);
      all += faults.length;
    }
    expect(given).to.be.at.least(all / 2);
    await project.run("fjord", ["release", "*"]);
    project.dispatcher();
    project.worker();
    await project.untilEnded();
    await project.closeDown();
  });
});
