import { cancelOrHoldVerb } from "../cancel-or-hold.js";

/** `fjord cancel`: takes waiting jobs out of the queue, and stops running jobs with all their processes. */
export const verb = cancelOrHoldVerb({
  act: "cancel",
  done: "Cancelled",
  foretold: "Would cancel",
  examples: [
    ["fjord cancel run7", "one job, which waits or runs"],
    ["fjord cancel 'run{1..50}' 'test*'", "many jobs; quote the words, or the shell expands them"],
    ["fjord cancel 'run*' --dry-run", "print what would be cancelled"],
  ],
});
