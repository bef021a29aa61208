import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { freePorts } from "../../../test/rig/free-ports.js";
import { type Peer, type PeerVersion, versionOf } from "./peer.js";

/** Number of jobs. Slurm starts about two a second. */
const JOBS = 50;
/** Longest time until the daemons are ready, in ms. */
const PATIENCE = 30_000;

/** Configuration of a cluster with only this host: the required values, and values that avoid pauses. */
function configuration(dir: string, ports: readonly number[], cpus: number): string {
  const host = os.hostname().split(".")[0];
  return `ClusterName=bench
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${ports[0]}
SlurmdPort=${ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${dir}/munge/socket
CredType=cred/munge
StateSaveLocation=${dir}/state
SlurmdSpoolDir=${dir}/spool
SlurmctldPidFile=${dir}/slurmctld.pid
SlurmdPidFile=${dir}/slurmd.pid
SlurmctldLogFile=${dir}/slurmctld.log
SlurmdLogFile=${dir}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
JobCompType=jobcomp/filetxt
JobCompLoc=${dir}/ended
MpiDefault=none
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${cpus}
PartitionName=bench Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`;
}

async function until(what: string, patience: number, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const late = performance.now() + patience;
  while (!(await isSo())) {
    if (performance.now() > late) throw new Error(`Slurm: timed out while waiting for ${what}.`);
    await delay(20);
  }
}

function linesIn(file: string): number {
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").length - 1 : 0;
}

export const slurm: Peer = {
  name: "Slurm",
  how: `sbatch --array=1-${JOBS}, CORES CPUs, timed until the last job ends`,
  async version(): Promise<PeerVersion> {
    const found = await Promise.all(
      ["slurmctld", "slurmd", "sbatch", "munged"].map((name) => versionOf(name, "-V")),
    );
    const missing = found.find(({ kind }) => kind === "missing");
    if (missing !== undefined) return missing;
    if (process.getuid?.() !== 0) return { kind: "missing", reason: "needs root" };
    return found[0] as PeerVersion;
  },
  async run(scratch, jobs, slots) {
    const dir = scratch.make("slurm");
    for (const name of ["munge", "state", "spool"]) fs.mkdirSync(path.join(dir, name), { mode: 0o755 });
    const inMunge = (name: string) => path.join(dir, "munge", name);
    fs.writeFileSync(inMunge("key"), randomBytes(1024), { mode: 0o600 });
    fs.writeFileSync(path.join(dir, "slurm.conf"), configuration(dir, await freePorts(2), slots));
    fs.writeFileSync(path.join(dir, "job.sh"), "#!/bin/sh\nexec /bin/true\n", { mode: 0o755 });
    const env = { ...scratch.env, SLURM_CONF: path.join(dir, "slurm.conf") };
    const options = { env, extendEnv: false, cwd: dir, stdin: "ignore" } as const;
    const daemon = (program: string, ...args: string[]) =>
      execa(program, args, { ...options, stdout: "ignore", stderr: "ignore", reject: false });
    const files = ["socket", "key", "pid", "log", "seed"];
    const names = ["socket", "key-file", "pid-file", "log-file", "seed-file"];
    const where = names.map((name, i) => `--${name}=${inMunge(files[i] ?? "")}`);
    const daemons = [daemon("munged", "--foreground", "--force", ...where)];
    try {
      await until("munged's socket", PATIENCE, () => fs.existsSync(inMunge("socket")));
      daemons.push(daemon("slurmctld", "-D", "-i"), daemon("slurmd", "-D"));
      await until("an idle node", PATIENCE, async () => {
        const nodes = await execa("sinfo", ["--noheader", "--format=%T"], {
          ...options,
          reject: false,
          timeout: 5000,
        });
        return nodes.stdout === "idle";
      });
      const begin = performance.now();
      const count = Math.min(jobs, JOBS);
      await execa("sbatch", [`--array=1-${count}`, "--output=/dev/null", "job.sh"], options);
      await until("the end of the array", count * 5000, () => linesIn(path.join(dir, "ended")) >= count);
      return (((performance.now() - begin) / 1000) * jobs) / count;
    } finally {
      for (const running of daemons.reverse()) {
        running.kill("SIGTERM");
        await running;
      }
    }
  },
};
