import fs from "node:fs";
import { Counts } from "../../src/ledger/counts.js";
import { Ledger } from "../../src/ledger/ledger.js";
import type { LedgerEvent } from "../../src/ledger/line.js";
import type { Layout } from "../../src/project/layout.js";
import { type Announcement, announce } from "../../src/spool/announcement.js";
import { ownPidSpace } from "../../src/spool/identity.js";
import type { Reclaimer } from "../../src/spool/reclaim.js";
import { factsOf } from "../../src/store/file-facts.js";
import { openStore } from "../../src/store/open-store.js";
import type { Site } from "../../src/store/site.js";
import { stampOf } from "../../src/store/stamp.js";
import type { Store } from "../../src/store/store.js";
import { siteOf } from "../rig/site.js";
import type { WitnessedProject } from "./witnessed-project.js";

const DEAD = { pid: 2 ** 22 - 1, start: "1", space: ownPidSpace() };

/** Makes by hand the files that a process would leave at one exact moment. */
export class Scene {
  static readonly #ledgers: Ledger[] = [];
  readonly project: WitnessedProject;
  readonly site: Site;
  readonly layout: Layout;
  readonly store: Store;

  constructor(project: WitnessedProject, kind: "local" | "network" = "local") {
    this.project = project;
    this.layout = project.layout;
    this.store = openStore(project.directory, kind);
    this.site = siteOf(this.store, this.layout);
    for (const dir of this.layout.directories()) fs.mkdirSync(dir, { recursive: true });
  }

  async worker(id: string, process = DEAD, state: Announcement["state"] = "busy"): Promise<void> {
    await announce(this.site, {
      worker: id,
      host: "here",
      process,
      state,
      beat: 1,
      slots: 1,
      pace: 0,
      spread: 0,
      group: "",
      directory: this.project.work,
      since: "",
      log: "",
    });
    fs.mkdirSync(this.layout.desk(id));
  }

  async ledger(actor: string): Promise<Ledger> {
    const ledger = await Ledger.open(this.store, this.layout.ledgerOf(actor), false);
    Scene.#ledgers.push(ledger);
    return ledger;
  }

  static async closeLedgers(): Promise<void> {
    for (const ledger of Scene.#ledgers.splice(0)) await ledger.close();
  }

  async tell(actor: string, ...events: LedgerEvent[]): Promise<void> {
    const ledger = await this.ledger(actor);
    for (const event of events) await ledger.append(event);
  }

  /** Puts a submitted job onto a desk and claims it. */
  claim(worker: string, job: string): string {
    const path = this.layout.onDesk(worker, `${job}.ini`);
    fs.renameSync(this.layout.queued(`${job}.ini`), path);
    fs.writeFileSync(`${path}.lock`, `${worker}\n`);
    return path;
  }

  /**
   * Makes what a killed worker leaves with three jobs on its desk: one runs, one needs only the rename, and one
   * waits.
   */
  async deadDesk(worker: string, [running, done, waiting]: readonly [string, string, string]): Promise<void> {
    const { project, layout } = this;
    await this.worker(worker);
    fs.writeFileSync(layout.key(worker), `${worker}\n`);
    fs.writeFileSync(layout.announcementTemporary(worker), "[wor");
    fs.linkSync(layout.announcement(worker), layout.pulse(worker));
    for (const job of [running, done, waiting]) project.submit({ job, ends: "jobdone" }, project.line(0));
    this.claim(worker, running);
    const stamp = this.stamp(this.claim(worker, done));
    fs.rmSync(`${this.claim(worker, waiting)}.lock`);
    fs.writeFileSync(layout.order(worker), [done, running, waiting].join("\n"));
    for (const job of [running, done]) fs.writeFileSync(layout.attemptLog(job, 1), "");
    fs.appendFileSync(project.witness, `start ${done} 1 1 0\nend ${done} 1 1 0\n`);
    await this.tell(worker, started(worker, done, 1), ended(worker, done, 1, "jobdone", stamp));
    await this.tell(worker, started(worker, running, 1));
  }

  stamp(path: string): string {
    return stampOf(factsOf(fs.statSync(path)));
  }

  async reclaimer(lostLimit = 10): Promise<Reclaimer & { ledger: Ledger }> {
    const ledger = await this.ledger(`d-${Scene.#ledgers.length}`);
    const site = { ...this.site, settings: { ...this.site.settings, lostLimit } };
    return { ...site, ledger, counts: new Counts(site) };
  }
}

export function started(worker: string, job: string, attempt: number): LedgerEvent {
  return { event: "started", job, attempt, worker, log: "" };
}

export function ended(
  worker: string,
  job: string,
  attempt: number,
  to: "jobdone" | "retry",
  stamp: string,
): LedgerEvent {
  const outcome =
    to === "jobdone" ? ({ kind: "succeeded" } as const) : ({ kind: "failed", code: 1 } as const);
  const rest = { host: "", start: "", end: "", seconds: 1, cpu: null, memory: null };
  return { event: "ended", job, attempt, worker, outcome, to, stamp, ...rest };
}
