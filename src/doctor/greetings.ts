import type { Finding } from "./finding.js";
import type { Greeting } from "./peer-process.js";

/**
 * Compares the greetings of the two processes. `stop` means that no test is possible.
 *
 * @returns undefined when the processes fit together
 */
export function judgeGreetings(local: Greeting, remote: Greeting): (Finding & { stop: boolean }) | undefined {
  const test = "other host";
  if (!remote.sees) {
    return {
      test,
      verdict: "bad",
      found: `${remote.host} does not find this directory under this path`,
      means:
        "the directory is not shared with that host, or has another path there, so its workers would never see a job",
      stop: true,
    };
  }
  if (local.version !== remote.version) {
    return {
      test,
      verdict: "warning",
      found: `${remote.host} has fjord ${remote.version}, and this host has fjord ${local.version}`,
      means: "all hosts of a project must run the same version",
      stop: false,
    };
  }
  return undefined;
}

/** The second process could not be started, or it ended early. */
export class PeerLost extends Error {}
