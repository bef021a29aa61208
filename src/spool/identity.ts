import fs from "node:fs";
import os from "node:os";

/** Identity of a process. It differs from that of every other process with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in the unit of the kernel; empty if the system does not report it. */
  readonly start: string;
  /** Boot and pid namespace in which the pid is valid. This host cannot check a pid of another boot or namespace. */
  readonly space: string;
}

function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Field `number` of a line of `/proc/PID/stat`, counted from 1 (proc(5)). Field 2 is the command and may hold any character. */
export function statField(stat: string, number: number): string {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[number - 3] ?? "";
}

function pidSpace(): string {
  const boot = readText("/proc/sys/kernel/random/boot_id")?.trim();
  if (boot === undefined) return `host:${os.hostname()}`;
  try {
    return `${boot}/${fs.readlinkSync("/proc/self/ns/pid").replace(/\D/g, "")}`;
  } catch {
    return boot;
  }
}

/** Start time of a live process, as a token; undefined if no process has this pid, or if the process is a zombie. */
export function startToken(pid: number): string | undefined {
  if (process.platform === "linux") {
    const stat = readText(`/proc/${pid}/stat`);
    if (stat === undefined || statField(stat, 3) === "Z") return undefined;
    return statField(stat, 22);
  }
  try {
    // Loading this module takes a tenth of the start time of a command, so only systems without `/proc` load it.
    const { execFileSync } = process.getBuiltinModule("node:child_process");
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

export type Liveness = "alive" | "dead" | "unknown";

let ownSpace: string | undefined;

/** Boot and pid namespace of this process. */
export function ownPidSpace(): string {
  ownSpace ??= pidSpace();
  return ownSpace;
}

export function identify(pid = process.pid): ProcessIdentity {
  return { pid, start: startToken(pid) ?? "", space: ownPidSpace() };
}

/**
 * Whether a process still runs. The answer is `unknown` for a process of another host, boot or container. Only the heartbeat
 * shows whether such a process lives (S8).
 */
export function livenessOf(identity: ProcessIdentity): Liveness {
  if (identity.space !== ownPidSpace()) return "unknown";
  const token = startToken(identity.pid);
  if (token === undefined) return "dead";
  return identity.start === "" || token === identity.start ? "alive" : "dead";
}

let ownHost = "";

/** Name of this host in a form that is valid in a file name. */
export function hostName(): string {
  ownHost ||=
    os
      .hostname()
      .replace(/[^A-Za-z0-9_-]/g, "-")
      .slice(0, 60) || "host";
  return ownHost;
}

/** The person who gives a command: `user@host`. */
export function userAtHost(): string {
  let user: string;
  try {
    user = os.userInfo().username;
  } catch {
    user = String(process.getuid?.() ?? "somebody"); // this user id has no account
  }
  return `${user}@${hostName()}`;
}

/** Id of a new worker or dispatcher of this host. No id is given twice. */
export function newActorId(role: string): string {
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(5)))
    .readUIntBE(0, 5)
    .toString(36)
    .padStart(8, "0");
  return `${hostName()}-${role}-${random}`;
}
