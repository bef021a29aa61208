import type { Logger } from "pino";
import { Ledger } from "../ledger/ledger.js";
import type { Actor, Recorder } from "../spool/actor.js";
import { withdrawAnnouncement } from "../spool/announcement.js";
import { hostName, identify } from "../spool/identity.js";
import { JobOwners } from "../spool/job-owners.js";
import { Locksmith } from "../spool/locksmith.js";
import type { Site } from "../store/site.js";
import { isErrno, isTrouble } from "../store/store.js";
import { OwnDesk } from "./desk.js";
import { deadlineOf, Heartbeat } from "./heartbeat.js";
import { Lane } from "./lane.js";
import { LauncherShell } from "./launcher-shell.js";
import { OwnRunner } from "./own-runner.js";
import type { StartRunner } from "./runner.js";
import { announced, type StateMachine } from "./state.js";

export interface WorkerSetup extends Site {
  readonly log: Logger;
  readonly id: string;
  /** Directory in which the worker was hired. Command lines and paths in job files are relative to it. */
  readonly directory: string;
  /** Starts the process that runs the jobs; a launcher shell by default. */
  readonly startRunner?: StartRunner;
}

/** A worker with a ledger, a heartbeat and a runner. It has no desk before it comes on duty. */
export interface Presence extends Recorder {
  readonly id: string;
  readonly ledger: Ledger;
  readonly log: Logger;
  readonly directory: string;
  readonly state: StateMachine;
  readonly heartbeat: Heartbeat;
  readonly runner: OwnRunner;
  readonly lane: Lane;
}

/** A worker that has a desk and runs jobs. */
export interface Duty extends Presence, Actor {
  readonly ledger: Ledger;
  readonly owners: JobOwners;
  /** Returns an identity for a run that no other run has. */
  newRun(): string;
  /**
   * S10: whether somebody may have declared this worker lost.
   *
   * @param since a time of the monotonic clock, ms. A silence of the heartbeat that ended after this time counts too.
   */
  mayBeFenced(since?: number): boolean;
  /** Logs and announces that the store takes no writes. */
  stall(error: unknown): void;
}

/**
 * Opens the worker's ledger and starts its runner. Nobody else sees the worker yet.
 *
 * @throws ErrnoException when the ledger cannot be opened or no process can be started
 */
export async function appear(setup: WorkerSetup, state: StateMachine): Promise<Presence> {
  const { store, layout, settings, access, log, id, directory } = setup;
  const { startRunner = (...args) => new LauncherShell(...args) } = setup;
  const ledger = await Ledger.open(store, layout.ledgerOf(id), settings.flush);
  const heartbeat = new Heartbeat(
    setup,
    {
      worker: id,
      host: hostName(),
      process: identify(),
      state: announced(state.current).state,
      beat: 0,
      slots: 1,
      pace: 0,
      spread: 0,
      group: "",
      directory,
      since: new Date(store.clock.wall()).toISOString(),
      log: layout.daemonLog(id),
    },
    deadlineOf(settings),
    () => announced(state.current),
  );
  const start = () => {
    const environment = { FJORD_PROJECT: layout.root, FJORD_WORKER: id };
    const started = startRunner(directory, environment, ledger.path);
    heartbeat.say({ group: started.group });
    return started;
  };
  const runner = new OwnRunner(start, () => heartbeat.renew());
  runner.current();
  const lane = new Lane({ store, state, runner, heartbeat });
  return { store, layout, settings, access, log, id, directory, ledger, state, heartbeat, runner, lane };
}

/**
 * S7: announces the worker and makes its desk. The announcement comes first, because a dispatcher removes a desk that no
 * announcement belongs to.
 *
 * @returns undefined when somebody declared the worker lost meanwhile, because it was stopped for longer than its lease
 */
export async function comeOnDuty(presence: Presence): Promise<Duty | undefined> {
  const { store, layout, ledger, log, id: worker, directory, state, heartbeat } = presence;
  await heartbeat.renew();
  await store.mkdir(layout.desk(worker));
  let locksmith: Locksmith;
  try {
    locksmith = await Locksmith.open(presence, worker);
  } catch (error) {
    // The desk is gone. If the directory of all desks is gone too, somebody moved or removed the project.
    if (!isErrno(error, "ENOENT") || !(await store.has(layout.jobpod))) throw error;
    await fence(presence);
    return undefined;
  }
  if (heartbeat.mayBeTooLate()) {
    // S10: somebody may have declared the worker lost while it had no desk. Only the worker itself removes this desk.
    await retryTrouble(presence, () => new OwnDesk(presence, worker).clear());
    await fence(presence);
    return undefined;
  }
  await ledger.append({ event: "hired", worker, host: hostName(), pid: process.pid, directory });
  log.info({ worker, directory }, "on duty");
  let runs = 0;
  return {
    ...presence,
    locksmith,
    owners: new JobOwners(layout, presence.settings),
    newRun: () => `${worker}.${++runs}`,
    mayBeFenced: (since) => state.current.kind === "fenced" || heartbeat.mayBeTooLate(since),
    stall: (error) => {
      log.warn({ error: String(error) }, "the store has trouble: waiting");
      state.stall();
      void presence.lane.clear(); // no job begins before the store takes writes again
    },
  };
}

/** S10: the desk has vanished, which means that somebody declared the worker lost. Kills its job. Idempotent. */
export async function fence({ state, lane, log }: Pick<Presence, "state" | "lane" | "log">): Promise<void> {
  if (!state.fence()) return;
  log.error({ reason: "its desk is gone" }, "declared lost");
  await lane.stop({ kind: "fenced" });
}

/**
 * Writes the end of the duty into the ledger and withdraws the announcement. A worker that was declared lost does both too,
 * because its last heartbeat may have written the announcement after the dispatcher removed it.
 */
export async function goOffDuty(presence: Presence, reason: string): Promise<void> {
  const { ledger, log, id: worker } = presence;
  await retryTrouble(presence, () => ledger.append({ event: "left", worker, reason }));
  await ledger.close().catch((error) => log.warn({ error: String(error) }, "trouble with the ledger"));
  await retryTrouble(presence, () => withdrawAnnouncement(presence, worker));
}

/** Repeats an action of a worker that leaves until the store takes its writes. */
export async function retryTrouble(
  { store, settings, log }: Pick<Presence, "store" | "settings" | "log">,
  action: () => Promise<void>,
): Promise<void> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!isTrouble(error)) throw error;
      log.warn({ error: String(error) }, "the store has trouble: leaving later");
      await store.clock.sleep(settings.poll * 1000);
    }
  }
}
