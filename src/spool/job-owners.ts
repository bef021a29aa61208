import fs from "node:fs";
import { promisify } from "node:util";
import { accessOf } from "../project/access.js";
import { groupName } from "../project/group.js";
import type { Layout } from "../project/layout.js";
import { type Settings, usersIn } from "../project/settings.js";
import { ownUid } from "../project/trust.js";
import type { FileFacts } from "./store.js";
import { temporaryIn } from "./temporary.js";

/** For so long, ms, it is believed that a user is not one of those whose jobs are run. */
const REFUSED_FOR = 60_000;

type Owned = Pick<FileFacts, "uid" | "gid" | "mode">;

/** Of the project: what a file's owner and mode mean there. */
interface Site {
  readonly gid: number;
  readonly isShared: boolean;
  /** Whether everybody can get at a file there that everybody may write. */
  readonly isReachable: boolean;
  /** Who owns what this process makes there: a store that maps users says another than the system. */
  readonly uid: number | undefined;
  /** Whether a file there has the mode that it was given. */
  readonly keepsModes: boolean;
}

/**
 * Whose jobs are run. A job runs as its worker's user, so it is no matter of taste: the dispatcher asks when it reads a job,
 * and the worker once more of what it has read to run. A job file of one's own costs nothing; what is needed for others is
 * found out when the first one comes.
 */
export class JobOwners {
  readonly #layout: Layout;
  /** Users, and what else `job_owners` has words for. */
  readonly #named: ReadonlySet<string>;
  readonly #own = ownUid();
  readonly #known = new Map<number, { readonly isWelcome: boolean; readonly at: number }>();
  #site: Site | undefined;

  constructor(layout: Layout, { jobOwners }: Pick<Settings, "jobOwners">) {
    this.#layout = layout;
    this.#named = new Set(usersIn(jobOwners));
  }

  /** Why a job file is not run for whose it is, or could be; undefined: it may be. */
  async problem({ uid, gid, mode }: Owned): Promise<string | undefined> {
    if (this.#own === undefined || this.#named.has("anyone")) return undefined;
    if (uid !== this.#own && !this.#isGroups(gid) && !(await this.#isWelcome(uid))) return this.#foreign(uid);
    if ((mode & 0o002) === 0) return undefined;
    const { isReachable, keepsModes } = this.#look();
    if (!isReachable || !keepsModes) return undefined;
    return (
      "can be written by everybody, so it may be anybody's; chmod o-w it and submit it again " +
      "(docs/security.md)"
    );
  }

  /** In a shared project only members can make a file of its group: nobody has to be asked who they are. */
  #isGroups(gid: number): boolean {
    return this.#named.has("group") && this.#look().isShared && this.#look().gid === gid;
  }

  async #isWelcome(uid: number): Promise<boolean> {
    const known = this.#known.get(uid);
    if (known !== undefined && (known.isWelcome || performance.now() - known.at < REFUSED_FOR)) {
      return known.isWelcome;
    }
    // Root may do all of this anyway.
    const isWelcome = uid === 0 || uid === this.#look().uid || (await this.#isNamed(uid));
    this.#known.set(uid, { isWelcome, at: performance.now() });
    return isWelcome;
  }

  async #isNamed(uid: number): Promise<boolean> {
    if (this.#named.has("group")) {
      if ((await askOf(uid, "-G")).split(/\s+/).includes(String(this.#look().gid))) return true;
    }
    if ([...this.#named].every((said) => said === "own" || said === "group")) return false;
    return this.#named.has(String(uid)) || this.#named.has(await nameOf(uid));
  }

  async #foreign(uid: number): Promise<string> {
    const said = [...this.#named].filter((one) => one !== "own");
    const users = said.filter((one) => one !== "group").join(", ");
    const group = said.includes("group") ? `, and members of the group ${groupName(this.#look().gid)},` : "";
    const others = users === "" ? group : `${group.replace(/,$/, "")}, and of ${users},`;
    const name = (await nameOf(uid)) || uid;
    const whose = this.#own === 0 ? "a settings.ini that belongs to root" : "settings.ini";
    return (
      `belongs to ${name}, and only jobs of ${(await nameOf(this.#own ?? 0)) || this.#own}${others} are run here; ` +
      `to run them, let ${whose} say job_owners = ${[...said, name].join(", ")} (docs/security.md)`
    );
  }

  #look(): Site {
    this.#site ??= siteOf(this.#layout);
    return this.#site;
  }
}

function siteOf(layout: Layout): Site {
  const { gid, mode } = fs.statSync(layout.jobqueue);
  const isReachable = (mode & fs.statSync(layout.root).mode & 0o001) !== 0;
  return { gid, isShared: accessOf(mode) === "shared", isReachable, ...tryFile(layout) };
}

/** What becomes of a file that this process makes there for itself alone. */
function tryFile(layout: Layout): Pick<Site, "uid" | "keepsModes"> {
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
    return { uid: undefined, keepsModes: true }; // a full disk: the stricter one
  }
}

async function nameOf(uid: number): Promise<string> {
  return askOf(uid, "-un");
}

/** id(1) asks whatever the system knows of users; empty when it knows none of this number. */
async function askOf(uid: number, what: "-un" | "-G"): Promise<string> {
  const { execFile } = await import("node:child_process");
  try {
    return (await promisify(execFile)("id", [what, String(uid)])).stdout.trim();
  } catch {
    return "";
  }
}
