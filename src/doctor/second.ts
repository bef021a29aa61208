import type { Finding } from "./finding.js";
import type { Greeting } from "./party.js";

/** What the two say of each other, where that is worth a finding; `stop` when nothing can be tested with it. */
export function judgeGreetings(here: Greeting, there: Greeting): (Finding & { stop: boolean }) | undefined {
  const test = "other host";
  if (!there.sees) {
    return {
      test,
      verdict: "bad",
      found: `${there.host} does not find this directory under this path`,
      means: "it is not shared with that host, or mounted elsewhere there: its workers would never see a job",
      stop: true,
    };
  }
  if (here.version !== there.version) {
    return {
      test,
      verdict: "warning",
      found: `fjord ${there.version} on ${there.host}, ${here.version} here`,
      means: "all hosts of a project are to run the same version",
      stop: false,
    };
  }
  return undefined;
}

/** The second process could not be had, or went away. */
export class SecondProcessLost extends Error {}
