import fs from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { binary, type CommandName } from "../../test/rig/command.js";
import { BenchProject } from "./bench-project.js";
import { atMost, median, type Required } from "./measure.js";
import type { Setup } from "./setup.js";

/** Cost of a command with almost no work, in medians. The ratios compare it with `node -e 0` of the same round. */
export interface CommandCost {
  readonly command: string;
  /** Time from start to end. */
  readonly ms: number;
  /** Peak resident memory of the command's own process. */
  readonly megabytes: number;
  readonly timeRatio: number;
  readonly memoryRatio: number;
  readonly required?: Required;
}

interface Cost {
  readonly ms: number;
  readonly megabytes: number;
}

interface Command {
  readonly name: CommandName;
  /** Arguments in round `n`. */
  readonly args: (n: number) => string[];
  /** Name in the table. */
  readonly shown: string;
  /** Exit codes of a good run. The default is 0. */
  readonly ends?: readonly number[];
}

const EMPTY = "node -e 0";
/** Largest time of a frequent command, as a multiple of `node -e 0`. */
const LIMIT = 2;
/** Commands that people run again and again. */
const FREQUENT: readonly string[] = ["fjord --version", "fjord status"];
/** Runs of each command in a round of the bench. */
const TIMES = 2;
/** Runs of `node -e 0` for each run of a command. All commands are compared with them. */
const EMPTIES = 3;
/** `idle_limit` of the worker, in s. */
const IDLE = 0.1;
/** Number of ended jobs in the project. */
const ENDED = 10;

function fjord(words: string, remark = ""): Command {
  const args = (n: number) => words.replaceAll("%", String(n)).split(" ");
  return { name: "fjord", args, shown: `fjord ${words.replaceAll("%", "")}${remark}` };
}

/** Commands in the order of a round. Some need the effect of others: `cancel` needs `submit`, and `fire` needs `hire`. */
const COMMANDS: readonly Command[] = [
  fjord("--version"),
  fjord("--help"),
  fjord("status"),
  fjord("submit --name new% -- /bin/true"),
  fjord("list"),
  fjord("show good0"),
  fjord("log good0"),
  fjord("explain wait%"),
  fjord("history"),
  fjord("results"),
  fjord("progress 3/7"),
  fjord("wait good0"),
  fjord("top", ", without a terminal"),
  fjord("hold wait%"),
  fjord("release wait%"),
  fjord("edit wait%", ", the editor does nothing"),
  fjord("cancel new%"),
  fjord("clean --older-than 0 --state cancelled"),
  fjord("retry bad%"),
  fjord("completion bash"),
  fjord("run -- /bin/true", ", with its worker"),
  fjord("doctor"),
  { name: "recruiter", args: () => ["hire", "1"], shown: "recruiter hire 1" },
  { name: "recruiter", args: () => ["list"], shown: "recruiter list" },
  { name: "dispatcher", args: () => ["--status-only"], shown: "dispatcher --status-only" },
  { name: "dispatcher", args: () => [], shown: "dispatcher, 3 jobs, one worker", ends: [1] },
  { name: "recruiter", args: () => ["fire", "--wait"], shown: "recruiter fire --wait" },
];

/** Node loads this module before a command. When the process ends, it writes its peak memory to a file (proc(5), VmHWM). */
const MEMORY_HOOK = `process.on("exit", () => {
  const fs = require("node:fs");
  fs.writeFileSync(process.env.FJORD_BENCH_STATUS, fs.readFileSync("/proc/self/status"));
});
`;

/** Runs Node programs and measures their time and memory. */
class CommandMeter {
  readonly #dir: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(dir: string, env: NodeJS.ProcessEnv) {
    this.#dir = dir;
    fs.writeFileSync(path.join(dir, "memory-hook.cjs"), MEMORY_HOOK);
    this.#env = {
      ...env,
      FJORD_HOME: path.join(dir, "home"),
      FJORD_PROGRESS: path.join(dir, "progress"),
      FJORD_BENCH_STATUS: path.join(dir, "status"),
      EDITOR: "true",
      VISUAL: "true",
    };
  }

  async measure(project: string, words: readonly string[], ends: readonly number[] = [0]): Promise<Cost> {
    const begin = performance.now();
    const args = ["--require", path.join(this.#dir, "memory-hook.cjs"), ...words];
    const { exitCode, stderr } = await execa(process.execPath, args, {
      env: { ...this.#env, FJORD_PROJECT: project },
      extendEnv: false,
      cwd: this.#dir,
      stdin: "ignore",
      reject: false,
    });
    const ms = performance.now() - begin;
    if (exitCode === undefined || !ends.includes(exitCode)) {
      throw new Error(
        `${words.map((word) => path.basename(word)).join(" ")} ended with ${exitCode}: ${stderr}`,
      );
    }
    const status = fs.readFileSync(path.join(this.#dir, "status"), "utf8");
    return { ms, megabytes: (Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6 };
  }
}

/** Measures every command, in a project with a few jobs in each state. */
export async function startup({ scratch, rounds, tell }: Setup): Promise<CommandCost[]> {
  const project = new BenchProject(scratch, "startup");
  const { layout } = project;
  const drop = (name: string, executable: string) =>
    fs.writeFileSync(layout.queued(`${name}.ini`), `[control]\nexecutable = ${executable}\n`);
  for (let n = 0; n < ENDED; n++) drop(`good${n}`, "echo done #");
  drop("bad0", "/bin/false");
  await project.hire(1);
  const dispatcher = project.stay();
  await project.untilDone(ENDED);
  await dispatcher.stop();
  await project.fire();
  const idleProject = new BenchProject(scratch, "startup");
  fs.writeFileSync(idleProject.layout.settings, `[fjord]\nidle_limit = ${IDLE} s\n`);

  const meter = new CommandMeter(scratch.make("meter"), scratch.env);
  const seen = new Map<string, { cost: Cost; empty: Cost }[]>();
  const note = (shown: string, cost: Cost, empty: Cost) =>
    seen.set(shown, [...(seen.get(shown) ?? []), { cost, empty }]);
  for (let n = 0; n < rounds * TIMES; n++) {
    tell(`start-up, round ${n + 1} of ${rounds * TIMES}`);
    drop(`wait${n}`, "/bin/true");
    drop(`bad${n + 1}`, "/bin/false"); // the dispatcher runs this job, and `retry` of the next round needs it
    const empties: Cost[] = [];
    for (let i = 0; i < EMPTIES; i++) empties.push(await meter.measure(layout.root, ["-e", "0"]));
    const empty = {
      ms: median(empties.map(({ ms }) => ms)),
      megabytes: median(empties.map(({ megabytes }) => megabytes)),
    };
    note(EMPTY, empty, empty);
    for (const { name, args, shown, ends } of COMMANDS) {
      note(shown, await meter.measure(layout.root, [binary(name), ...args(n)], ends), empty);
    }
    const worker = await meter.measure(idleProject.layout.root, [binary("worker")]);
    note(`worker, idle_limit = ${IDLE} s`, worker, empty);
  }
  return [...seen].map(([command, both]) => {
    const of = (value: (one: (typeof both)[number]) => number) => median(both.map(value));
    const timeRatio = of(({ cost, empty }) => cost.ms / empty.ms);
    return {
      command,
      ms: of(({ cost }) => cost.ms),
      megabytes: of(({ cost }) => cost.megabytes),
      timeRatio,
      memoryRatio: of(({ cost, empty }) => cost.megabytes / empty.megabytes),
      ...(FREQUENT.includes(command) && { required: atMost(timeRatio, LIMIT, "times the time") }),
    };
  });
}
