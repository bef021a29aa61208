import fs from "node:fs";
import { visible } from "../job/quote.js";
import type { Store } from "../spool/store.js";
import type { Judgement } from "./finding.js";
import { areTwoHosts, type Site } from "./site.js";

/** A line of /proc/self/mountinfo (proc(5)). */
export interface Mount {
  readonly point: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface FileSystem {
  /** Undefined where the system does not tell. */
  readonly mount: Mount | undefined;
  /** What it is taken for here, and by the other process; what settings.ini says. */
  readonly kind: Store["kind"];
  readonly there: Store["kind"] | undefined;
  readonly said: Site["said"];
  readonly twoHosts: boolean;
}

/** Object stores behind FUSE: a rename copies, and two can win. */
const OBJECT_STORE = /s3fs|goofys|gcsfuse|mountpoint-s3|blobfuse|rclone|s3ql|ossfs|cosfs/i;
const GONE_WITH_THE_POWER = ["tmpfs", "ramfs"];

export async function readFileSystem(site: Site): Promise<Judgement> {
  let mount: Mount | undefined;
  try {
    mount = mountOf(fs.realpathSync(site.scratch), fs.readFileSync("/proc/self/mountinfo", "utf8"));
  } catch {
    mount = undefined; // not Linux
  }
  const { store, said, greetings } = site;
  return judgeFileSystem({
    mount,
    kind: store.kind,
    there: greetings.there.kind,
    said,
    twoHosts: areTwoHosts(site),
  });
}

/** The mount that a path lies on: the longest mount point above it, the last one where several lie on one another. */
export function mountOf(path: string, mountinfo: string): Mount | undefined {
  let found: Mount | undefined;
  for (const line of mountinfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , , point, options = ""] = before.split(" ");
    const [type = "", source = "", more = ""] = after.split(" ");
    if (point === undefined) continue;
    const at = unoctal(point);
    const isAbove = path === at || path.startsWith(at.endsWith("/") ? at : `${at}/`);
    if (!isAbove || at.length < (found?.point.length ?? 0)) continue;
    found = {
      point: at,
      type,
      source: unoctal(source),
      options: [...options.split(","), ...more.split(",")],
    };
  }
  return found;
}

/** White space and backslashes are octal there. */
function unoctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}

export function judgeFileSystem(system: FileSystem): Judgement {
  const { mount, kind, there, said, twoHosts } = system;
  const taken = `taken for ${kind}${said === "auto" ? "" : " as settings.ini says"}`;
  const found =
    mount === undefined
      ? `of a kind that this system does not tell, ${taken}`
      : `${visible(mount.type)} (${visible(mount.source)} on ${visible(mount.point)}), ${taken}`;
  const say = (verdict: Judgement["verdict"], means: string): Judgement => ({
    verdict,
    found,
    means,
    measured: system,
  });
  if (mount !== undefined && (OBJECT_STORE.test(mount.type) || OBJECT_STORE.test(mount.source))) {
    return say("bad", "an object store: its renames are copies, and jobs get lost: no place for a project");
  }
  if (twoHosts && (kind === "local" || there === "local")) {
    return say(
      "bad",
      "two hosts work here, and local is not safe for that: write store = network into settings.ini",
    );
  }
  if (there !== undefined && there !== kind) {
    return say(
      "warning",
      `the other process takes it for ${there}: write store = ${kind} or store = ${there} into settings.ini`,
    );
  }
  if (mount !== undefined && GONE_WITH_THE_POWER.includes(mount.type)) {
    return say("warning", "in memory: all jobs are gone when this host is restarted");
  }
  if (mount?.options.includes("soft") && kind === "network") {
    return say(
      "warning",
      "mounted soft: when the server stalls calls fail instead of waiting; work then waits and is tried again",
    );
  }
  return say(
    "ok",
    kind === "local"
      ? "for workers of this host; events are heard, heartbeats are quick"
      : "for workers of many hosts; looked at every few seconds, slow to call a worker lost",
  );
}
