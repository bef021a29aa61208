import fs from "node:fs";
import path from "node:path";
import { type Peer, timed, versionOf } from "./peer.js";

function argumentsIn(dir: string, jobs: number): void {
  fs.writeFileSync(path.join(dir, "arguments"), Array.from({ length: jobs }, (_, i) => `${i}\n`).join(""));
}

/** Programs that run their arguments or targets, and keep no queue. */
export const RUNNERS: readonly Peer[] = [
  {
    name: "xargs",
    how: "xargs -P CORES -n1 /bin/true",
    version: () => versionOf("xargs", "--version"),
    async run(scratch, jobs, slots) {
      const dir = scratch.make("xargs");
      argumentsIn(dir, jobs);
      return timed(dir, scratch.env, `xargs -P ${slots} -n1 /bin/true <arguments`);
    },
  },
  {
    name: "GNU parallel",
    how: "parallel -j CORES /bin/true",
    version: () => versionOf("parallel", "--version"),
    async run(scratch, jobs, slots) {
      const dir = scratch.make("parallel");
      argumentsIn(dir, jobs);
      const env = { ...scratch.env, PARALLEL_HOME: dir, TMPDIR: dir };
      return timed(dir, env, `parallel --will-cite -j ${slots} /bin/true <arguments`);
    },
  },
  {
    name: "make",
    how: "make -j CORES, a target for each job",
    version: () => versionOf("make", "--version"),
    async run(scratch, jobs, slots) {
      const dir = scratch.make("make");
      const targets = Array.from({ length: jobs }, (_, i) => `j${i}`).join(" ");
      fs.writeFileSync(
        path.join(dir, "Makefile"),
        `JOBS := ${targets}\n.PHONY: all $(JOBS)\nall: $(JOBS)\n$(JOBS):\n\t@/bin/true\n`,
      );
      return timed(dir, scratch.env, `make -j ${slots}`);
    },
  },
];
