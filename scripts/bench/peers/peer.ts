import { execa } from "execa";
import type { Scratch } from "../scratch.js";

/** Another queue or runner on this machine, which runs `/bin/true` again and again. */
export interface Peer {
  readonly name: string;
  /** How it is told to. */
  readonly how: string;
  /** Its version, or why it is left out. */
  version(): Promise<PeerVersion>;
  /** Runs so many jobs, so many at a time; gives seconds. Who cannot run that many gives what they would take. */
  run(scratch: Scratch, jobs: number, slots: number): Promise<number>;
}

/** Whether a peer can take part. */
export type PeerVersion =
  | { readonly kind: "there"; readonly version: string }
  | { readonly kind: "missing"; readonly reason: string };

const NOT_INSTALLED: PeerVersion = { kind: "missing", reason: "not installed" };

/** The first line that a program prints of itself. */
export async function versionOf(program: string, ...args: string[]): Promise<PeerVersion> {
  const result = await execa(program, args, { reject: false, all: true, stdin: "ignore" });
  if (result.code === "ENOENT") return NOT_INSTALLED;
  return { kind: "there", version: result.all.split("\n")[0]?.trim() ?? "" };
}

/** Runs a shell script in a directory; gives the seconds that it took. */
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

/** A shell loop that does something for each job. */
export function times(jobs: number, command: string): string {
  return `i=0; while [ $i -lt ${jobs} ]; do ${command}; i=$((i+1)); done`;
}
