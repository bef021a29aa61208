import fs from "node:fs";
import { promisify } from "node:util";
import { accessOf } from "../project/access.js";
import { groupName } from "../project/group.js";
import type { Layout } from "../project/layout.js";
import { type Settings, usersIn } from "../project/settings.js";
import { ownUid } from "../project/trust.js";
import type { FileFacts, Soon } from "../store/store.js";
import { temporaryIn } from "../store/temporary.js";

/** Time in ms for which a refusal of a user is cached. */
const REFUSED_FOR = 60_000;

type Owned = Pick<FileFacts, "uid" | "gid" | "mode">;

/** Meaning of the owners and modes of files in the project. */
interface Ownership {
  readonly gid: number;
  readonly isShared: boolean;
  /** Whether all users can reach the directory, so that a file with mode o+w can be written by all. */
  readonly isReachable: boolean;
  /** Owner of the files that this process creates there. A store that maps users may report another id. */
  readonly uid: number | undefined;
  /** Whether a file keeps the mode with which it was created. */
  readonly keepsModes: boolean;
}

/**
 * Decides whose jobs may run. A job runs as the user of its worker, so a foreign job could do anything as that user. The
 * dispatcher checks each job that it reads, and the worker checks the file again just before it runs the job. A file of the
 * current user needs no system call. The data about other users are read when the first file of another user comes.
 */
export class JobOwners {
  readonly #layout: Layout;
  /** Users and key words of `job_owners`. */
  readonly #named: ReadonlySet<string>;
  readonly #own = ownUid();
  readonly #known = new Map<number, { readonly isWelcome: boolean; readonly at: number }>();
  #ownership: Ownership | undefined;

  constructor(layout: Layout, { jobOwners }: Pick<Settings, "jobOwners">) {
    this.#layout = layout;
    this.#named = new Set(usersIn(jobOwners));
  }

  /** Reason why a job file may not run because of its owner or its mode; undefined if it may. */
  problem({ uid, gid, mode }: Owned): Soon<string | undefined> {
    if (this.#own === undefined || this.#named.has("anyone")) return undefined;
    if (uid === this.#own || this.#isGroups(gid)) return this.#problemOfMode(mode);
    return this.#isWelcome(uid).then((isWelcome) =>
      isWelcome ? this.#problemOfMode(mode) : this.#foreign(uid),
    );
  }

  #problemOfMode(mode: number): string | undefined {
    if ((mode & 0o002) === 0) return undefined;
    const { isReachable, keepsModes } = this.#readOwnership();
    if (!isReachable || !keepsModes) return undefined;
    return (
      "can be written by everybody, so anybody may have changed it; chmod o-w the file and submit it again " +
      "(docs/security.md)"
    );
  }

  /** Whether a file has the group of a shared project. Only members of the group can make such a file. */
  #isGroups(gid: number): boolean {
    return this.#named.has("group") && this.#readOwnership().isShared && this.#readOwnership().gid === gid;
  }

  async #isWelcome(uid: number): Promise<boolean> {
    const known = this.#known.get(uid);
    if (known !== undefined && (known.isWelcome || performance.now() - known.at < REFUSED_FOR)) {
      return known.isWelcome;
    }
    // Root may run any command anyway.
    const isWelcome = uid === 0 || uid === this.#readOwnership().uid || (await this.#isNamed(uid));
    this.#known.set(uid, { isWelcome, at: performance.now() });
    return isWelcome;
  }

  async #isNamed(uid: number): Promise<boolean> {
    if (this.#named.has("group")) {
      if ((await outputOfId(uid, "-G")).split(/\s+/).includes(String(this.#readOwnership().gid))) return true;
    }
    if ([...this.#named].every((said) => said === "own" || said === "group")) return false;
    return this.#named.has(String(uid)) || this.#named.has(await nameOf(uid));
  }

  async #foreign(uid: number): Promise<string> {
    const said = [...this.#named].filter((one) => one !== "own");
    const users = said.filter((one) => one !== "group").join(", ");
    const group = said.includes("group")
      ? `, and members of the group ${groupName(this.#readOwnership().gid)},`
      : "";
    const others = users === "" ? group : `${group.replace(/,$/, "")}, and of ${users},`;
    const name = (await nameOf(uid)) || uid;
    const whose = this.#own === 0 ? "a settings.ini that belongs to root" : "settings.ini";
    return (
      `belongs to ${name}, and only jobs of ${(await nameOf(this.#own ?? 0)) || this.#own}${others} are run here; ` +
      `to run these jobs, write into ${whose}: job_owners = ${[...said, name].join(", ")} (docs/security.md)`
    );
  }

  #readOwnership(): Ownership {
    this.#ownership ??= ownershipOf(this.#layout);
    return this.#ownership;
  }
}

function ownershipOf(layout: Layout): Ownership {
  const { gid, mode } = fs.statSync(layout.jobqueue);
  const isReachable = (mode & fs.statSync(layout.root).mode & 0o001) !== 0;
  return { gid, isShared: accessOf(mode) === "shared", isReachable, ...tryFile(layout) };
}

/** Owner and mode of a test file that this process creates for itself alone. */
function tryFile(layout: Layout): Pick<Ownership, "uid" | "keepsModes"> {
  const file = temporaryIn(layout.jobqueue);
  try {
    const fd = fs.openSync(file, "wx", 0o600);
    try {
      const { uid, mode } = fs.fstatSync(fd);
      return { uid, keepsModes: (mode & 0o077) === 0 };
    } finally {
      fs.closeSync(fd);
      fs.unlinkSync(file);
    }
  } catch {
    return { uid: undefined, keepsModes: true }; // the disk may be full, so assume the stricter case
  }
}

async function nameOf(uid: number): Promise<string> {
  return outputOfId(uid, "-un");
}

/** Output of id(1), which knows all users of the system and of the network; empty for an unknown number. */
async function outputOfId(uid: number, what: "-un" | "-G"): Promise<string> {
  const { execFile } = await import("node:child_process");
  try {
    return (await promisify(execFile)("id", [what, String(uid)])).stdout.trim();
  } catch {
    return "";
  }
}
