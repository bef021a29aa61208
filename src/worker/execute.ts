import type { Job } from "../job/job.js";
import { type JobVariables, variablesOf } from "../job/variables.js";
import type { AttemptLog } from "./attempt-log.js";
import type { RunRequest } from "./command.js";
import type { Duty } from "./duty.js";
import type { ResultFile } from "./result-file.js";
import type { RanEnd, Runner } from "./runner.js";
import { describeStop, KILLED, type Stop } from "./stop.js";
import { surroundingsOf, type Unfit } from "./surroundings.js";

/** Exit code of an attempt whose output fjord cannot copy to the logfile: EX_IOERR of sysexits(3). */
const IO_ERROR = 74;

/** A job as an attempt runs it. */
export interface Execution {
  readonly job: Job;
  readonly name: string;
  /** Path of the job file on the desk. */
  readonly file: string;
  readonly log: AttemptLog;
  /** Variables that the job's own section `[params]` adds to its environment. */
  readonly variables: JobVariables["variables"];
  /** Line of the ledger that tells the start. */
  readonly started: string;
}

/** A job that can run on this host. */
export interface Prepared {
  readonly kind: "ready";
  readonly request: RunRequest;
  readonly result: ResultFile | undefined;
  readonly runner: Runner;
}

/** Checks what the job needs on this host, and makes the request to run it. */
export function prepare(duty: Duty, execution: Execution): Prepared | Unfit {
  const { job, name, file, log, variables, started } = execution;
  const { layout } = duty;
  const runner = duty.runner.current();
  const surroundings = surroundingsOf(job, duty.directory, duty.settings.shell);
  if (surroundings.kind === "unfit") return surroundings;
  const { directory, logfile, shell, result } = surroundings;
  const request: RunRequest = {
    line: job.kind === "command" ? job.executable : undefined,
    jobFile: file,
    directory: directory === runner.directory ? undefined : directory,
    log: log.path,
    nice: job.nice,
    shell,
    environment: {
      ...variables,
      FJORD_JOB: name,
      FJORD_JOB_FILE: file,
      FJORD_LOGFILE: logfile ?? "",
      FJORD_ATTEMPT: String(log.number),
      FJORD_PROGRESS: layout.progressOf(name, log.number),
      FJORD_RESULT: layout.resultOf(name, log.number),
      FJORD_CHECKPOINT_DIR: layout.checkpointOf(name),
    },
    started,
  };
  return { kind: "ready", request, result, runner };
}

/**
 * Completes the log and the logfile of a job that has run.
 *
 * @returns exit code for a failure of fjord's own work around the command line
 */
export async function complete(
  duty: Duty,
  execution: Execution,
  { result, runner }: Prepared,
  end: RanEnd,
  stop: Stop | undefined,
): Promise<number | undefined> {
  const why = stop === undefined ? describeEnd(end, runner) : describeStop(stop);
  if (why !== undefined) await execution.log.append(why);
  try {
    result?.complete(execution.log.path);
    return undefined;
  } catch (error) {
    await report(duty, execution, (error as Error).message);
    return IO_ERROR;
  }
}

/** Line for the log of a job that SIGKILL ended although neither the worker nor its guardian sent it. */
function describeEnd(end: RanEnd, runner: Runner): string | undefined {
  const isKilled = end.kind === "exited" ? end.status === KILLED : !end.byGuardian;
  return isKilled ? runner.describeKill() : undefined;
}

/** Variables that the job's own section `[params]` adds to its environment. */
export function paramsOf(job: Job, name: string, bytes: Uint8Array): JobVariables {
  return job.kind === "script" ? { variables: {}, problems: [] } : variablesOf(name, bytes);
}

/** Writes a message of fjord's own into the attempt's log, because people look there first. */
export async function report({ log }: Duty, execution: Execution, message: string): Promise<void> {
  log.warn({ job: execution.name }, message);
  await execution.log.append(message);
}
