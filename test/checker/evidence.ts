import fs from "node:fs";
import path from "node:path";
import { type LiveProcess, processesWith } from "../rig/processes.js";
import { inFile, readArrays } from "./arrays.js";

/**
 * The facts by which the checker judges. The checker reads only the project's directories and ledgers, the jobs'
 * witness file and `/proc`. It uses no code of fjord, because it tests this code.
 */
export interface Evidence {
  readonly root: string;
  /**
   * The place of each job's file, by job: `jobqueue`, `desk W`, `retry`, `jobheld`, `jobdone`, `jobfailed` or
   * `jobcancelled`. For an array's number that is not in the queue yet: `array file`, `array waiting`, `array held`,
   * `array cancelled` or `array out`.
   */
  readonly places: ReadonlyMap<string, readonly string[]>;
  /** Paths below the root of other files and directories that should not be left. */
  readonly litter: readonly string[];
  readonly announced: readonly string[];
  /** Jobs that have left a checkpoint. */
  readonly checkpoints: readonly string[];
  readonly desks: readonly string[];
  readonly lines: readonly Line[];
  readonly torn: readonly Torn[];
  readonly runs: readonly Run[];
  readonly processes: readonly LiveProcess[];
}

/** One line of a ledger, with its position. */
export interface Line {
  readonly ledger: string;
  readonly index: number;
  readonly event: string;
  readonly t?: string;
  readonly job?: string;
  readonly attempt?: number;
  readonly run?: string;
  readonly stamp?: string;
  /** Stamp of the claimed file, if another file lay in its place at the end. */
  readonly claimed?: string;
  readonly worker?: string;
  readonly to?: string;
  readonly reason?: string;
  readonly outcome?: { readonly kind: string };
}

interface Torn {
  readonly ledger: string;
  readonly isLast: boolean;
  readonly text: string;
}

/** One run of a job, as its witness file shows it. Times are in seconds of the host's uptime, which only grows. */
export interface Run {
  readonly job: string;
  readonly attempt: number;
  readonly pid: number;
  readonly start: number;
  /** Undefined if the run did not come to its end. */
  readonly end: number | undefined;
}

const ROOMS = ["jobdone", "jobfailed", "jobcancelled", "jobqueue", "jobheld"] as const;

export function gather(root: string, witness: string | undefined): Evidence {
  const places = new Map<string, string[]>();
  const litter: string[] = [];
  const desks: string[] = [];
  const put = (job: string, place: string) => places.set(job, [...(places.get(job) ?? []), place]);
  const sort = (dir: string, place: string): void => {
    for (const name of listed(path.join(root, dir))) {
      if (name.startsWith(".") || /\.(?:lock|tmp)$/.test(name)) {
        litter.push(path.join(dir, name));
        continue;
      }
      const job = name.endsWith(".ini") ? name.slice(0, -".ini".length) : name;
      const elements = place === "jobqueue" ? inFile(path.join(root, dir, name), job, "array file") : [];
      for (const [element, where] of elements) put(element, where);
      if (elements.length === 0) put(job, place);
    }
  };
  for (const room of ROOMS) sort(room, room);
  const arrays = readArrays(root);
  for (const [job, place] of arrays.placed) put(job, place);
  litter.push(...arrays.litter);
  for (const desk of fs.readdirSync(path.join(root, "jobpod"))) {
    if (desk.startsWith(".")) litter.push(path.join("jobpod", desk));
    else if (desk === "retry") sort("jobpod/retry", "retry");
    else {
      desks.push(desk);
      sort(path.join("jobpod", desk), `desk ${desk}`);
    }
  }
  const announced: string[] = [];
  for (const name of fs.readdirSync(path.join(root, "workerqueue"))) {
    if (name.startsWith(".")) litter.push(path.join("workerqueue", name));
    else announced.push(name);
  }
  for (const name of fs.readdirSync(root)) {
    if (name.startsWith(".") || name === "dispatcher.lock" || name === "dispatcher.ini") litter.push(name);
  }
  return {
    root,
    places,
    litter,
    announced,
    desks,
    checkpoints: listed(path.join(root, "jobcheckpoints")),
    ...readLedgers(path.join(root, "ledger")),
    runs: witness === undefined ? [] : readWitness(witness),
    processes: processesWith(root),
  };
}

function listed(dir: string): string[] {
  return fs.existsSync(dir) ? fs.readdirSync(dir) : [];
}

function readLedgers(dir: string): { lines: Line[]; torn: Torn[] } {
  const lines: Line[] = [];
  const torn: Torn[] = [];
  for (const ledger of fs.readdirSync(dir)) {
    const text = fs.readFileSync(path.join(dir, ledger), "utf8");
    const pieces = text.split("\n");
    const last = pieces.pop() ?? "";
    if (last !== "") torn.push({ ledger, isLast: true, text: last });
    for (const [index, piece] of pieces.entries()) {
      if (piece === "" || piece === "#") continue; // `#` may also come after a line that was complete
      try {
        lines.push({ ...(JSON.parse(piece) as Omit<Line, "ledger" | "index">), ledger, index });
      } catch {
        torn.push({ ledger, isLast: false, text: piece });
      }
    }
  }
  return { lines, torn };
}

/** Reads lines of `start|end JOB ATTEMPT PID UPTIME`. The job itself writes each one with one write(2). */
function readWitness(file: string): Run[] {
  const open = new Map<string, Run>();
  const runs: Run[] = [];
  if (!fs.existsSync(file)) return runs;
  for (const line of fs.readFileSync(file, "utf8").split("\n")) {
    const [what, job, attempt, pid, at] = line.split(" ");
    if (job === undefined || at === undefined) continue;
    const run = { job, attempt: Number(attempt), pid: Number(pid), start: Number(at), end: undefined };
    const key = `${job} ${attempt} ${pid}`;
    if (what === "start") open.set(key, run);
    else {
      runs.push({ ...run, start: open.get(key)?.start ?? Number.NaN, end: Number(at) });
      open.delete(key);
    }
  }
  return runs.concat([...open.values()]);
}
