import fs from "node:fs";
import os from "node:os";

/** A process, told apart from every other that has or will have its number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The start time in the kernel's own count; empty where the system does not tell. */
  readonly start: string;
  /** Where the pid means something: boot and pid namespace. Pids of another space are never looked at. */
  readonly space: string;
}

function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Field `number` (1-based, proc(5)) of a `/proc/PID/stat` line; the command in field 2 may hold anything. */
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

/** The start token of a live process; undefined when there is none of this number (a zombie is none). */
export function startToken(pid: number): string | undefined {
  if (process.platform === "linux") {
    const stat = readText(`/proc/${pid}/stat`);
    if (stat === undefined || statField(stat, 3) === "Z") return undefined;
    return statField(stat, 22);
  }
  try {
    // Loaded where it is needed alone: it is a tenth of the start of a command.
    const { execFileSync } = process.getBuiltinModule("node:child_process");
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

export type Liveness = "alive" | "dead" | "unknown";

let ownSpace: string | undefined;

/** The space that this process's pids live in. */
export function ownPidSpace(): string {
  ownSpace ??= pidSpace();
  return ownSpace;
}

export function identify(pid = process.pid): ProcessIdentity {
  return { pid, start: startToken(pid) ?? "", space: ownPidSpace() };
}

/**
 * Whether a process is still there. `unknown` for a process of another host, boot or container: then only its
 * heartbeat tells (S8).
 */
export function livenessOf(identity: ProcessIdentity): Liveness {
  if (identity.space !== ownPidSpace()) return "unknown";
  const token = startToken(identity.pid);
  if (token === undefined) return "dead";
  return identity.start === "" || token === identity.start ? "alive" : "dead";
}

let ownHost = "";

/** This host's name, as it may stand in a file name. */
export function hostName(): string {
  ownHost ||= os.hostname().replace(/[^A-Za-z0-9_-]/g, "-");
  return ownHost.slice(0, 60) || "host";
}

/** An id for a new actor of this host: never given twice. */
export function newActorId(role: string): string {
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(5)))
    .readUIntBE(0, 5)
    .toString(36)
    .padStart(8, "0");
  return `${hostName()}-${role}-${random}`;
}
