import path from "node:path";

/** Where a job ends, by outcome. */
export type EndRoom = "jobdone" | "jobfailed" | "jobcancelled";

/** A note to a worker, a hidden file on its desk. `fire`: finish the job, then go; `fire-now`: stop it too. */
export type Note = "fire" | "fire-now";

/** The desk of the jobs that failed and wait for the dispatcher's decision (S9); no worker has this name. */
const RETRY_DESK = "retry";
const FENCED = ".lost";
const ARRAY_FILE = "array.ini";

/** As `path.join`, for what is normal already: at some ten paths a job, looking for `..` is a twentieth of the work. */
function below(dir: string, ...names: string[]): string {
  return `${dir}/${names.join("/")}`;
}

/**
 * The project directory's paths. The only place that spells and joins them; a job is named here by its
 * *file* name (`J.ini`), a worker by its id.
 */
export class Layout {
  /** Absolute. */
  readonly root: string;
  readonly jobqueue: string;
  readonly workerqueue: string;
  readonly jobpod: string;
  readonly jobcheckpoints: string;
  /** Job files that stand for many jobs, each with the ranges that are no jobs yet. */
  readonly jobarrays: string;
  readonly joblogs: string;
  readonly ledger: string;
  /** What dispatchers and workers log (pino), and what a detached worker prints. */
  readonly daemonlogs: string;
  /** proper-lockfile's directory: who dispatches. */
  readonly seat: string;
  /** Who the holder of the seat is, for people and for the standby. */
  readonly dispatcherFile: string;
  readonly settings: string;
  /** Jobs that somebody holds back. */
  readonly jobheld: string;
  /** Jobs that failed with retries left, until the dispatcher has decided (S9). */
  readonly retryDesk: string;

  constructor(root: string) {
    this.root = path.resolve(root);
    this.jobqueue = below(this.root, "jobqueue");
    this.workerqueue = below(this.root, "workerqueue");
    this.jobpod = below(this.root, "jobpod");
    this.jobcheckpoints = below(this.root, "jobcheckpoints");
    this.jobarrays = below(this.root, "jobarrays");
    this.joblogs = below(this.root, "joblogs");
    this.ledger = below(this.root, "ledger");
    this.daemonlogs = below(this.root, "daemonlogs");
    this.seat = below(this.root, "dispatcher.lock");
    this.dispatcherFile = below(this.root, "dispatcher.ini");
    this.settings = below(this.root, "settings.ini");
    this.jobheld = below(this.root, "jobheld");
    this.retryDesk = below(this.jobpod, RETRY_DESK);
  }

  /** Every directory that a project consists of. */
  directories(): string[] {
    return [
      this.jobqueue,
      this.jobarrays,
      this.workerqueue,
      this.jobpod,
      this.retryDesk,
      this.jobheld,
      this.end("jobdone"),
      this.end("jobfailed"),
      this.end("jobcancelled"),
      this.jobcheckpoints,
      this.joblogs,
      this.ledger,
      this.daemonlogs,
    ];
  }

  end(room: EndRoom): string {
    return below(this.root, room);
  }

  /** What is to become `jobqueue/`; `id` tells it from others. */
  newQueue(id: string): string {
    return below(this.root, `.${id}.new`);
  }

  queued(file: string): string {
    return below(this.jobqueue, file);
  }

  ended(room: EndRoom, file: string): string {
    return below(this.root, room, file);
  }

  announcement(worker: string): string {
    return below(this.workerqueue, `${worker}.ini`);
  }

  /** What the next announcement is written to before it is renamed. */
  announcementTemporary(worker: string): string {
    return below(this.workerqueue, `.${worker}.tmp`);
  }

  /** A second name of the announcement, in a directory that nobody watches: it is written through this one. */
  pulse(worker: string): string {
    return below(this.jobpod, `.${worker}.pulse`);
  }

  /** The worker whose announcement's second name an entry of `jobpod/` is; undefined for others. */
  workerOfPulse(entry: string): string | undefined {
    return /^\.(.+)\.pulse$/.exec(entry)?.[1];
  }

  /** What the next `dispatcher.ini` is written to before it is renamed. */
  dispatcherTemporary(dispatcher: string): string {
    return below(this.root, `.${dispatcher}.tmp`);
  }

  /** The dispatcher whose temporary file an entry of the project is; undefined for others. */
  dispatcherOfTemporary(entry: string): string | undefined {
    const dispatcher = /^\.(.+)\.tmp$/.exec(entry)?.[1] ?? "";
    return this.isDispatcher(dispatcher) ? dispatcher : undefined;
  }

  /** The worker whose announcement this file is; undefined for foreign files. */
  workerOf(announcement: string): string | undefined {
    if (announcement.startsWith(".") || !announcement.endsWith(".ini")) return undefined;
    return announcement.slice(0, -".ini".length);
  }

  desk(worker: string): string {
    return below(this.jobpod, worker);
  }

  /** What a desk is renamed to when its worker is declared lost: one rename fences the zombie off. */
  fencedDesk(worker: string): string {
    return below(this.jobpod, worker + FENCED);
  }

  /** Tells what an entry of `jobpod/` is. */
  deskKind(entry: string): { kind: "desk" | "fenced"; worker: string } | undefined {
    if (entry === RETRY_DESK || entry.startsWith(".")) return undefined;
    if (entry.endsWith(FENCED)) return { kind: "fenced", worker: entry.slice(0, -FENCED.length) };
    return { kind: "desk", worker: entry };
  }

  onDesk(worker: string, file: string): string {
    return below(this.jobpod, worker, file);
  }

  held(file: string): string {
    return below(this.jobheld, file);
  }

  toRetry(file: string): string {
    return below(this.retryDesk, file);
  }

  /**
   * On the retry desk, behind another of its name. Which file it is, its inode tells, in 13 characters, as names may be long;
   * where that is not known (0), its modification time.
   */
  behindOnRetryDesk(file: string, mark: { readonly ino: number; readonly mtimeMs: number }): string {
    return below(this.retryDesk, `.${file}.${mark.ino === 0 ? bySecond(mark) : byInode(mark)}`);
  }

  /** The job file's name, if this entry, which is such a file, waits behind another. */
  fileBehind(entry: string, mark: { readonly ino: number; readonly mtimeMs: number }): string | undefined {
    const [, file, tail = ""] = /^\.(.+)\.([0-9a-z]{1,13})$/.exec(entry) ?? [];
    if (mark.ino === 0) return tail === "tmp" ? undefined : file; // another host may have put it there, by its inode
    return [byInode(mark), bySecond(mark)].includes(tail) ? file : undefined;
  }

  note(worker: string, note: Note): string {
    return below(this.jobpod, worker, `.${note}`);
  }

  /** A note that asks the worker for something about one job on its desk. */
  ask(worker: string, id: string): string {
    return below(this.jobpod, worker, `.ask.${id}`);
  }

  /** Whether an entry of a desk is such a note. */
  isAsk(entry: string): boolean {
    return entry.startsWith(".ask.");
  }

  /** The dispatcher's hint in which order the desk's jobs are to be taken. */
  order(worker: string): string {
    return below(this.jobpod, worker, ".order");
  }

  /** An array's directory. */
  array(name: string): string {
    return below(this.jobarrays, name);
  }

  /** An array's job file. */
  arrayFile(name: string): string {
    return below(this.jobarrays, name, ARRAY_FILE);
  }

  /** An array's job file in a directory that is not at its place. */
  arrayFileIn(dir: string): string {
    return below(dir, ARRAY_FILE);
  }

  /** What is to become an array's directory; `id` tells it from others. */
  newArray(name: string, id: string): string {
    return below(this.jobarrays, `.${name}.${id}.new`);
  }

  /** The array whose directory an entry of `jobarrays/` is to become; undefined for others. */
  arrayOfNew(entry: string): string | undefined {
    return /^\.(.+)\.[^.]+\.new$/.exec(entry)?.[1];
  }

  /** The array whose directory an entry of `jobarrays/` was; undefined for others. */
  arrayOfOld(entry: string): string | undefined {
    return /^\.(.+)\.[^.]+\.old$/.exec(entry)?.[1];
  }

  /** What an array's directory is on its way out. */
  oldArray(name: string, id: string): string {
    return below(this.jobarrays, `.${name}.${id}.old`);
  }

  /** Something in an array's directory: a part of its numbers, a job in a part. */
  inArray(name: string, ...names: string[]): string {
    return below(this.jobarrays, name, ...names);
  }

  /** What a job leaves to its own next attempt: `$FJORD_CHECKPOINT_DIR`. The job makes it. */
  checkpointOf(job: string): string {
    return below(this.jobcheckpoints, job);
  }

  attemptLog(job: string, attempt: number): string {
    return below(this.joblogs, `${job}.${attempt}.log`);
  }

  /** What an attempt tells of its progress: `$FJORD_PROGRESS`. */
  progressOf(job: string, attempt: number): string {
    return below(this.joblogs, `${job}.${attempt}.progress`);
  }

  /** What an attempt says has come out of it: `$FJORD_RESULT`. */
  resultOf(job: string, attempt: number): string {
    return below(this.joblogs, `${job}.${attempt}.result`);
  }

  /** Why a job file was refused, for people who look beside the logs. */
  refusalLog(job: string): string {
    return below(this.joblogs, `${job}.refused.log`);
  }

  /** What an actor's locks are links to: a worker's lies on its desk, and goes with it. */
  key(actor: string): string {
    return this.isDispatcher(actor) ? below(this.jobpod, `.${actor}.key`) : below(this.jobpod, actor, ".key");
  }

  /** Whether an entry of `jobpod/` is a dispatcher's key. */
  isDispatcherKey(entry: string): boolean {
    return (
      entry.startsWith(".") && entry.endsWith(".key") && this.isDispatcher(entry.slice(1, -".key".length))
    );
  }

  /** Whether an actor is a dispatcher, by its id. */
  isDispatcher(actor: string): boolean {
    return isDispatcherId(actor);
  }

  ledgerOf(actor: string): string {
    return below(this.ledger, `${actor}.jsonl`);
  }

  /** An entry of `ledger/`. */
  ledgerFile(name: string): string {
    return below(this.ledger, name);
  }

  daemonLog(actor: string): string {
    return below(this.daemonlogs, `${actor}.log`);
  }

  /** Any file of `daemonlogs/`. */
  daemonLogFile(name: string): string {
    return below(this.daemonlogs, name);
  }

  /** Whose log a file of `daemonlogs/` is: `W.log`, rotated `W.log.1`, printed `W.out`. */
  actorOfDaemonLog(name: string): string {
    return name.replace(/\.(?:out|log(?:\.\d+)?)$/, "");
  }

  /** The environment that a worker is to have, until it has read it. */
  environmentOf(worker: string): string {
    return below(this.daemonlogs, `.${worker}.env`);
  }

  /** What a detached worker prints outside its log: Node's own last words. */
  printed(name: string): string {
    return below(this.daemonlogs, `${name}.out`);
  }
}

/** Whether an id is of the kind that dispatchers have. */
export function isDispatcherId(id: string): boolean {
  return /-d-[a-z0-9]+$/.test(id);
}

/** The lockfile beside the job that runs. */
export function lockOf(jobPath: string): string {
  return `${jobPath}.lock`;
}

export function isLock(entry: string): boolean {
  return entry.endsWith(".lock");
}

/** Whether an entry of `ledger/` is one: people leave other files there. */
export function isLedger(entry: string): boolean {
  return entry.endsWith(".jsonl");
}

function byInode({ ino }: { readonly ino: number }): string {
  return ino.toString(36);
}

function bySecond({ mtimeMs }: { readonly mtimeMs: number }): string {
  return Math.floor(mtimeMs / 1000).toString(36);
}
