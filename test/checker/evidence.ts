import fs from "node:fs";
import path from "node:path";
import { inFile, readArrays } from "./arrays.js";

/**
 * What the checker judges by. It reads the project's directories and ledgers, the jobs' own witness file and `/proc`,
 * and nothing else: no code of fjord's, whose word does not count.
 */
export interface Evidence {
  readonly root: string;
  /**
   * Where each job file lies: `jobqueue`, `desk W`, `retry`, `jobheld`, `jobdone`, `jobfailed`, `jobcancelled`, by job. Numbers of
   * an array that are not in the queue yet: `array file`, `array waiting`, `array held`, `array cancelled`, `array out`.
   */
  readonly places: ReadonlyMap<string, readonly string[]>;
  /** What lies about and is no job: paths below the root. */
  readonly litter: readonly string[];
  readonly announced: readonly string[];
  /** Jobs that have left one. */
  readonly checkpoints: readonly string[];
  readonly desks: readonly string[];
  readonly lines: readonly Line[];
  readonly torn: readonly Torn[];
  readonly runs: readonly Run[];
  readonly processes: readonly Process[];
}

/** One line of a ledger, with where it stands. */
export interface Line {
  readonly ledger: string;
  readonly index: number;
  readonly event: string;
  readonly t?: string;
  readonly job?: string;
  readonly attempt?: number;
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

/** One run of a job by its own witness. Times in seconds of the host's uptime, which only grows. */
export interface Run {
  readonly job: string;
  readonly attempt: number;
  readonly pid: number;
  readonly start: number;
  /** Undefined: it did not come to its end. */
  readonly end: number | undefined;
}

export interface Process {
  readonly pid: number;
  readonly command: string;
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
    processes: processesOf(root),
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
      if (piece === "" || piece === "#") continue; // `#`: behind what was whole after all
      try {
        lines.push({ ...(JSON.parse(piece) as Omit<Line, "ledger" | "index">), ledger, index });
      } catch {
        torn.push({ ledger, isLast: false, text: piece });
      }
    }
  }
  return { lines, torn };
}

/** Lines of `start|end JOB ATTEMPT PID UPTIME`, each one write(2) by the job itself. */
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

/** Live processes that carry the project's path in their environment or command line. */
export function processesOf(root: string): Process[] {
  const found: Process[] = [];
  for (const pid of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    const environment = read(`/proc/${pid}/environ`).split("\0");
    const isOurs =
      command.includes(root) ||
      environment.some((entry) => entry.startsWith("FJORD_") && entry.endsWith(`=${root}`));
    if (isOurs && isAlive(Number(pid))) found.push({ pid: Number(pid), command });
  }
  return found;
}

/** Whether a process is there; a zombie is none. */
export function isAlive(pid: number): boolean {
  const state = stateOf(pid);
  return state !== undefined && state !== "Z" && state !== "X";
}

/** proc(5): `R`, `S`, `D`, `T` (stopped), `Z` …; undefined when there is no such process. */
export function stateOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat === "" ? undefined : stat[stat.lastIndexOf(")") + 2];
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
