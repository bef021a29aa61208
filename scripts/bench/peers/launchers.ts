import fs from "node:fs";
import path from "node:path";
import { runText } from "../../../src/worker/command.js";
import { type Peer, timed } from "./peer.js";

/** Lower bound for any worker: the shells that run fjord's jobs get all jobs at once, and nothing is recorded. */
export const launchers: Peer = {
  name: "fjord's shells alone",
  how: "CORES shells, each with its share of the jobs, a log for each job",
  version: async () => ({ kind: "there", version: "as the workers start them" }),
  async run(scratch, jobs, slots) {
    const dir = scratch.make("launchers");
    const logs = path.join(dir, "joblogs");
    fs.mkdirSync(logs);
    for (let slot = 0; slot < slots; slot++) {
      let text = "";
      for (let n = slot; n < jobs; n += slots) {
        const job = `j${String(n).padStart(6, "0")}`;
        const jobFile = path.join(dir, `${job}.ini`);
        text += `${runText({
          line: "/bin/true",
          jobFile,
          directory: undefined,
          log: path.join(logs, `${job}.1.log`),
          nice: undefined,
          shell: undefined,
          started: "",
          environment: {
            FJORD_JOB: job,
            FJORD_JOB_FILE: jobFile,
            FJORD_LOGFILE: "",
            FJORD_ATTEMPT: "1",
            FJORD_PROGRESS: path.join(logs, `${job}.1.progress`),
            FJORD_RESULT: path.join(logs, `${job}.1.result`),
            FJORD_CHECKPOINT_DIR: path.join(dir, "jobcheckpoints", job),
          },
        })}\n`;
      }
      fs.writeFileSync(path.join(dir, `share${slot}`), text);
    }
    const shells = Array.from({ length: slots }, (_, slot) => `sh <share${slot} &`).join(" ");
    return timed(dir, scratch.env, `${shells} wait`);
  },
};
