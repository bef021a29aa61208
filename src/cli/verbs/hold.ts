import { cancelOrHoldVerb } from "../cancel-or-hold.js";

/** `fjord hold`: keeps waiting jobs from running. */
export const verb = cancelOrHoldVerb({
  act: "hold",
  done: "Held",
  foretold: "Would hold",
  examples: [
    ["fjord hold 'run*'", "keep these jobs from running; running ones go on"],
    ["fjord release 'run*'", "put them back into the queue"],
  ],
});
