import fs from "node:fs";
import { visible } from "../job/quote.js";
import type { Store } from "../store/store.js";
import type { Judgement } from "./finding.js";
import { areTwoHosts, type TestContext } from "./test-context.js";

/** One line of /proc/self/mountinfo (proc(5)). */
export interface Mount {
  readonly point: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface FileSystem {
  /** Undefined when the system does not report mounts. */
  readonly mount: Mount | undefined;
  /** Kind of the store in this process. */
  readonly kind: Store["kind"];
  /** Kind of the store in the other process. */
  readonly there: Store["kind"] | undefined;
  /** `store` of settings.ini. */
  readonly said: TestContext["storeSetting"];
  readonly twoHosts: boolean;
}

/** Object stores that are mounted with FUSE. Their rename is a copy, so two processes can win it. */
const OBJECT_STORE = /s3fs|goofys|gcsfuse|mountpoint-s3|blobfuse|rclone|s3ql|ossfs|cosfs/i;
/** File systems that a restart of the host empties. */
const IN_MEMORY = ["tmpfs", "ramfs"];

export async function testFileSystem(context: TestContext): Promise<Judgement> {
  let mount: Mount | undefined;
  try {
    mount = mountOf(fs.realpathSync(context.scratch), fs.readFileSync("/proc/self/mountinfo", "utf8"));
  } catch {
    mount = undefined; // not Linux
  }
  const { store, storeSetting, greetings } = context;
  return judgeFileSystem({
    mount,
    kind: store.kind,
    there: greetings.remote.kind,
    said: storeSetting,
    twoHosts: areTwoHosts(context),
  });
}

/** The mount that holds a path: the longest mount point above the path. Among mounts on the same point, the last one counts. */
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

/** Decodes the octal escapes of white space and backslashes (proc(5)). */
function unoctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}

export function judgeFileSystem(system: FileSystem): Judgement {
  const { mount, kind, there, said, twoHosts } = system;
  const counts = `counts as ${kind}${said === "auto" ? "" : ", as settings.ini says"}`;
  const found =
    mount === undefined
      ? `a type that this system does not report, ${counts}`
      : `${visible(mount.type)} (${visible(mount.source)} on ${visible(mount.point)}), ${counts}`;
  const say = (verdict: Judgement["verdict"], means: string): Judgement => ({
    verdict,
    found,
    means,
    measured: system,
  });
  if (mount !== undefined && (OBJECT_STORE.test(mount.type) || OBJECT_STORE.test(mount.source))) {
    return say("bad", "an object store renames by copying, and jobs get lost, so do not put a project here");
  }
  if (twoHosts && (kind === "local" || there === "local")) {
    return say(
      "bad",
      "two hosts work here, and local is not safe for two hosts. Write store = network into settings.ini",
    );
  }
  if (there !== undefined && there !== kind) {
    return say(
      "warning",
      `it counts as ${there} for the other process. Write store = ${kind} or store = ${there} into settings.ini`,
    );
  }
  if (mount !== undefined && IN_MEMORY.includes(mount.type)) {
    return say("warning", "the files are in memory, so all jobs are lost when this host restarts");
  }
  if (mount?.options.includes("soft") && kind === "network") {
    return say(
      "warning",
      "the mount option soft makes calls fail when the server stalls. fjord then waits and tries again",
    );
  }
  return say(
    "ok",
    kind === "local"
      ? "all workers must run on this host, and fjord uses events and short leases"
      : "workers may run on many hosts, and fjord polls and uses long leases",
  );
}
