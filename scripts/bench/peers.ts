import fs from "node:fs";
import path from "node:path";
import { execa } from "execa";
import type { Scratch } from "./scratch.js";

/** Another queue or runner on this machine, which runs `/bin/true` again and again. */
export interface Peer {
  readonly name: string;
  /** How it is told to. */
  readonly how: string;
  /** Its first line of version, undefined when it is not installed. */
  version(): Promise<string | undefined>;
  /** Runs so many jobs, so many at a time; gives seconds. */
  run(scratch: Scratch, jobs: number, slots: number): Promise<number>;
}

async function firstLine(program: string, ...args: string[]): Promise<string | undefined> {
  const result = await execa(program, args, { reject: false, all: true, stdin: "ignore" });
  if (result.code === "ENOENT") return undefined;
  return result.all.split("\n")[0]?.trim() ?? "";
}

/** Runs a shell script in a directory; gives the seconds that it took. */
async function timed(dir: string, env: NodeJS.ProcessEnv, script: string): Promise<number> {
  const begin = performance.now();
  await execa("/bin/sh", ["-c", script], {
    cwd: dir,
    env,
    extendEnv: false,
    stdin: "ignore",
    stdout: "ignore",
  });
  return (performance.now() - begin) / 1000;
}

function argumentsIn(dir: string, jobs: number): void {
  fs.writeFileSync(path.join(dir, "arguments"), Array.from({ length: jobs }, (_, i) => `${i}\n`).join(""));
}

/** A shell loop that does something for each job. */
function times(jobs: number, command: string): string {
  return `i=0; while [ $i -lt ${jobs} ]; do ${command}; i=$((i+1)); done`;
}

/** Each job that waits is a process of its own, and it takes no more than about a thousand. */
const TSP_HOLDS = 900;

export const PEERS: readonly Peer[] = [
  {
    name: "xargs",
    how: "xargs -P CORES -n1 /bin/true",
    version: () => firstLine("xargs", "--version"),
    async run(scratch, jobs, slots) {
      const dir = scratch.make("xargs");
      argumentsIn(dir, jobs);
      return timed(dir, scratch.env, `xargs -P ${slots} -n1 /bin/true <arguments`);
    },
  },
  {
    name: "GNU parallel",
    how: "parallel -j CORES /bin/true",
    version: () => firstLine("parallel", "--version"),
    async run(scratch, jobs, slots) {
      const dir = scratch.make("parallel");
      argumentsIn(dir, jobs);
      const env = { ...scratch.env, PARALLEL_HOME: dir, TMPDIR: dir };
      return timed(dir, env, `parallel --will-cite -j ${slots} /bin/true <arguments`);
    },
  },
  {
    name: "task-spooler",
    how: `tsp -S CORES; ${TSP_HOLDS} jobs, timed from when all are queued to the last one's end`,
    version: () => firstLine("tsp", "-V"),
    async run(scratch, jobs, slots) {
      const dir = scratch.make("tsp");
      const env = { ...scratch.env, TS_SOCKET: path.join(dir, "socket"), TMPDIR: dir };
      const block = times(slots, "tsp -n cat gate");
      const submit = times(Math.min(jobs, TSP_HOLDS), "tsp -n /bin/true");
      await timed(dir, env, `mkfifo gate; tsp -S ${slots}; ${block}; ${submit}`);
      const seconds = await timed(dir, env, ": >gate; tsp -w");
      await timed(dir, env, "tsp -K");
      return (seconds * jobs) / Math.min(jobs, TSP_HOLDS);
    },
  },
  {
    name: "nq",
    how: "nq -c /bin/true in a loop, then nq -w: one at a time",
    // It has no version to tell.
    version: async () => ((await firstLine("nq", "-h")) === undefined ? undefined : "nq"),
    async run(scratch, jobs) {
      const dir = scratch.make("nq");
      const env = { ...scratch.env, NQDIR: dir };
      return timed(dir, env, `${times(jobs, "nq -c /bin/true")} 2>/dev/null; nq -w`);
    },
  },
];
