import { execa } from "execa";
import type { Scratch } from "../scratch.js";

/** Another queue or runner, which runs `/bin/true` many times. */
export interface Peer {
  readonly name: string;
  /** Command line or method, for people. */
  readonly how: string;
  /** Version, or the reason why the peer is left out. */
  version(): Promise<PeerVersion>;
  /** Runs jobs, `slots` at a time. @returns seconds; extrapolated when the peer cannot run so many jobs */
  run(scratch: Scratch, jobs: number, slots: number): Promise<number>;
}

/** Whether a peer can take part. */
export type PeerVersion =
  | { readonly kind: "there"; readonly version: string }
  | { readonly kind: "missing"; readonly reason: string };

const NOT_INSTALLED: PeerVersion = { kind: "missing", reason: "not installed" };

/** First line of a program's output, which names its version. */
export async function versionOf(program: string, ...args: string[]): Promise<PeerVersion> {
  const result = await execa(program, args, { reject: false, all: true, stdin: "ignore" });
  if (result.code === "ENOENT") return NOT_INSTALLED;
  return { kind: "there", version: result.all.split("\n")[0]?.trim() ?? "" };
}

/** Runs a shell script in a directory. @returns seconds */
export async function timed(dir: string, env: NodeJS.ProcessEnv, script: string): Promise<number> {
  const begin = performance.now();
  await execa("/bin/sh", ["-c", script], {
    cwd: dir,
    env,
    extendEnv: false,
    stdin: "ignore",
    stdout: "ignore",
  });
  return (performance.now() - begin) / 1000;
}

/** Shell loop that runs a command for each job. */
export function times(jobs: number, command: string): string {
  return `i=0; while [ $i -lt ${jobs} ]; do ${command}; i=$((i+1)); done`;
}
