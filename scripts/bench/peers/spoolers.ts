import path from "node:path";
import { type Peer, timed, times, versionOf } from "./peer.js";

/** Number of jobs in the queue of task-spooler. Each waiting job is a process, and the queue holds about a thousand. */
const TSP_HOLDS = 900;

/** Queues for one machine. */
export const SPOOLERS: readonly Peer[] = [
  {
    name: "task-spooler",
    how: `tsp -S CORES; ${TSP_HOLDS} queued jobs, timed until the last job ends`,
    version: () => versionOf("tsp", "-V"),
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
    how: "nq -c /bin/true in a loop, then nq -w, one job at a time",
    async version() {
      const found = await versionOf("nq", "-h");
      // nq prints its usage instead of a version.
      return found.kind === "there" ? { ...found, version: "nq" } : found;
    },
    async run(scratch, jobs) {
      const dir = scratch.make("nq");
      const env = { ...scratch.env, NQDIR: dir };
      return timed(dir, env, `${times(jobs, "nq -c /bin/true")} 2>/dev/null; nq -w`);
    },
  },
];
