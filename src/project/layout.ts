import path from "node:path";
import {
  announcementName,
  behindName,
  cancelRequestName,
  dispatcherKeyName,
  editName,
  fencedName,
  isDispatcherId,
  newArrayName,
  oldArrayName,
  pulseName,
  RETRY_DESK,
  temporaryName,
} from "./entry-names.js";

/** Directories of jobs that have ended, by outcome. */
export const END_ROOMS = ["jobdone", "jobfailed", "jobcancelled"] as const;
export type EndRoom = (typeof END_ROOMS)[number];

/** Note to a worker: a hidden file on its desk. `fire`: finish the job and leave. `fire-now`: stop the job and leave. */
export type Note = "fire" | "fire-now";

const ARRAY_FILE = "array.ini";

/** Path of an entry. `path.join` would also look for `..`. With ten paths for each job, this would be a twentieth of the work. */
export function entryIn(dir: string, name: string, inner?: string): string {
  return inner === undefined ? `${dir}/${name}` : `${dir}/${name}/${inner}`;
}

/**
 * Paths of a project. Only this file joins them. Its methods take a job by the name of its *file* (`J.ini`), and a
 * worker by its id.
 */
export class Layout {
  /** Absolute path of the project. */
  readonly root: string;
  readonly jobqueue: string;
  readonly workerqueue: string;
  readonly jobpod: string;
  readonly jobcheckpoints: string;
  /** The arrays. Each has a job file that stands for many jobs, and the ranges of the numbers that have no job files. */
  readonly jobarrays: string;
  readonly joblogs: string;
  readonly ledger: string;
  /** Logs of dispatchers and workers (pino), and the output of detached workers. */
  readonly daemonlogs: string;
  /** Lock of the dispatcher: a directory of proper-lockfile. */
  readonly dispatcherLock: string;
  /** Description of the dispatcher, for people and for a dispatcher that stands by. */
  readonly dispatcherFile: string;
  readonly settings: string;
  /** Jobs that somebody holds. */
  readonly jobheld: string;
  /** Jobs that failed and may be retried. They stay here until the dispatcher has decided (S9). */
  readonly retryDesk: string;

  constructor(root: string) {
    this.root = path.resolve(root);
    this.jobqueue = entryIn(this.root, "jobqueue");
    this.workerqueue = entryIn(this.root, "workerqueue");
    this.jobpod = entryIn(this.root, "jobpod");
    this.jobcheckpoints = entryIn(this.root, "jobcheckpoints");
    this.jobarrays = entryIn(this.root, "jobarrays");
    this.joblogs = entryIn(this.root, "joblogs");
    this.ledger = entryIn(this.root, "ledger");
    this.daemonlogs = entryIn(this.root, "daemonlogs");
    this.dispatcherLock = entryIn(this.root, "dispatcher.lock");
    this.dispatcherFile = entryIn(this.root, "dispatcher.ini");
    this.settings = entryIn(this.root, "settings.ini");
    this.jobheld = entryIn(this.root, "jobheld");
    this.retryDesk = entryIn(this.jobpod, RETRY_DESK);
  }

  /** All directories of a project. */
  directories(): string[] {
    return [
      this.jobqueue,
      this.jobarrays,
      this.workerqueue,
      this.jobpod,
      this.retryDesk,
      this.jobheld,
      ...END_ROOMS.map((room) => this.end(room)),
      this.jobcheckpoints,
      this.joblogs,
      this.ledger,
      this.daemonlogs,
    ];
  }

  end(room: EndRoom): string {
    return entryIn(this.root, room);
  }

  /** Directory that a rename turns into `jobqueue/`. */
  newQueue(id: string): string {
    return entryIn(this.root, `.${id}.new`);
  }

  queued(file: string): string {
    return entryIn(this.jobqueue, file);
  }

  ended(room: EndRoom, file: string): string {
    return entryIn(this.root, room, file);
  }

  announcement(worker: string): string {
    return entryIn(this.workerqueue, announcementName(worker));
  }

  /** Temporary file that a rename turns into the next announcement. */
  announcementTemporary(worker: string): string {
    return entryIn(this.workerqueue, temporaryName(worker));
  }

  /** Second name of the announcement, in a directory that nobody watches. The worker writes through this name. */
  pulse(worker: string): string {
    return entryIn(this.jobpod, pulseName(worker));
  }

  /** Mark of an edit. The mark names the process that holds the job for the edit (S4). */
  edit(file: string): string {
    return entryIn(this.jobpod, editName(file));
  }

  /** Temporary file that a rename turns into `dispatcher.ini`. */
  dispatcherTemporary(dispatcher: string): string {
    return entryIn(this.root, temporaryName(dispatcher));
  }

  desk(worker: string): string {
    return entryIn(this.jobpod, worker);
  }

  /** New path of the desk of a lost worker. The rename to this path fences the worker, which may still run. */
  fencedDesk(worker: string): string {
    return entryIn(this.jobpod, fencedName(worker));
  }

  onDesk(worker: string, file: string): string {
    return entryIn(this.jobpod, worker, file);
  }

  held(file: string): string {
    return entryIn(this.jobheld, file);
  }

  toRetry(file: string): string {
    return entryIn(this.retryDesk, file);
  }

  /** Path of a job that waits on the retry desk behind another job with the same name. */
  behindOnRetryDesk(file: string, mark: { readonly ino: number; readonly mtimeMs: number }): string {
    return entryIn(this.retryDesk, behindName(file, mark));
  }

  note(worker: string, note: Note): string {
    return entryIn(this.jobpod, worker, `.${note}`);
  }

  /** Note that asks the worker to cancel or hold a job on its desk. */
  cancelRequest(worker: string, id: string): string {
    return entryIn(this.jobpod, worker, cancelRequestName(id));
  }

  /** The dispatcher's hint about the order in which the worker should take the jobs on its desk. */
  order(worker: string): string {
    return entryIn(this.jobpod, worker, ".order");
  }

  /** Directory of an array. */
  array(name: string): string {
    return entryIn(this.jobarrays, name);
  }

  /** Job file of an array. */
  arrayFile(name: string): string {
    return entryIn(this.jobarrays, name, ARRAY_FILE);
  }

  /** Job file of an array whose directory has a temporary name. */
  arrayFileIn(dir: string): string {
    return entryIn(dir, ARRAY_FILE);
  }

  /** Directory that a rename turns into the directory of an array. */
  newArray(name: string, id: string): string {
    return entryIn(this.jobarrays, newArrayName(name, id));
  }

  /** New path of the directory of an array that is being removed. */
  oldArray(name: string, id: string): string {
    return entryIn(this.jobarrays, oldArrayName(name, id));
  }

  /** Directory of an array, or an entry below it: a part, or a job file in a part. */
  inArray(name: string, ...names: string[]): string {
    return entryIn(this.jobarrays, [name, ...names].join("/"));
  }

  /** Checkpoint of a job, which its next attempt finds: `$FJORD_CHECKPOINT_DIR`. The job itself makes this directory. */
  checkpointOf(job: string): string {
    return entryIn(this.jobcheckpoints, job);
  }

  attemptLog(job: string, attempt: number): string {
    return entryIn(this.joblogs, `${job}.${attempt}.log`);
  }

  /** Progress of an attempt, written by the job: `$FJORD_PROGRESS`. */
  progressOf(job: string, attempt: number): string {
    return entryIn(this.joblogs, `${job}.${attempt}.progress`);
  }

  /** Result of an attempt, written by the job: `$FJORD_RESULT`. */
  resultOf(job: string, attempt: number): string {
    return entryIn(this.joblogs, `${job}.${attempt}.result`);
  }

  /** Log with the reason why a job file was refused. */
  refusalLog(job: string): string {
    return entryIn(this.joblogs, `${job}.refused.log`);
  }

  /**
   * Key of a worker or dispatcher, whose locks are links to this file. The key of a worker is on its desk, and is removed with
   * the desk.
   */
  key(actor: string): string {
    return isDispatcherId(actor)
      ? entryIn(this.jobpod, dispatcherKeyName(actor))
      : entryIn(this.jobpod, actor, ".key");
  }

  ledgerOf(actor: string): string {
    return entryIn(this.ledger, `${actor}.jsonl`);
  }

  /** Path of an entry of `ledger/`. */
  ledgerFile(name: string): string {
    return entryIn(this.ledger, name);
  }

  daemonLog(actor: string): string {
    return entryIn(this.daemonlogs, `${actor}.log`);
  }

  /** Path of an entry of `daemonlogs/`. */
  daemonLogFile(name: string): string {
    return entryIn(this.daemonlogs, name);
  }

  /** Environment for a new worker, which removes this file after reading it. */
  environmentOf(worker: string): string {
    return entryIn(this.daemonlogs, `.${worker}.env`);
  }

  /** Output of a detached worker outside its log, for example when Node crashes. */
  printed(name: string): string {
    return entryIn(this.daemonlogs, `${name}.out`);
  }
}

/** Path of the lock beside a job. */
export function lockOf(jobPath: string): string {
  return `${jobPath}.lock`;
}

export function isLock(entry: string): boolean {
  return entry.endsWith(".lock");
}

/** Whether an entry of `ledger/` is a ledger. People may leave other files there. */
export function isLedger(entry: string): boolean {
  return entry.endsWith(".jsonl");
}
