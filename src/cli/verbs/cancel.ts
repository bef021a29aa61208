import { takeOutVerb } from "../take-out.js";

/** `fjord cancel`: jobs that wait or run are taken out, and stopped with all that they have started. */
export const verb = takeOutVerb({
  takeOut: "cancel",
  done: "Cancelled",
  foretold: "Would cancel",
  examples: [
    ["fjord cancel run7", "whether it waits or runs"],
    ["fjord cancel 'run{1..50}' 'test*'", "many; quote it, or the shell expands it"],
    ["fjord cancel 'run*' --dry-run", "tell only"],
  ],
});
