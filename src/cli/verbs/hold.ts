import { takeOutVerb } from "../take-out.js";

/** `fjord hold`: jobs that wait are kept from being run. */
export const verb = takeOutVerb({
  takeOut: "hold",
  done: "Held",
  foretold: "Would hold",
  examples: [
    ["fjord hold 'run*'", "those that run already run on"],
    ["fjord release 'run*'", "and back into the queue"],
  ],
});
