import type { Withdrawn } from "../compose/withdraw.js";
import { visible } from "../job/quote.js";
import { say } from "./main.js";
import { count, some } from "./verb.js";

/** What is told of a wish's ends. `done`: the words for it, as `Cancelled`. */
export interface Words {
  readonly done: string;
  readonly foretold: string;
}

/** Tells what became of jobs that were to be cancelled or held. @returns whether all of them are, or had ended */
export function tellWithdrawn(withdrawn: readonly Withdrawn[], words: Words, isDryRun: boolean): boolean {
  const of = (end: Withdrawn["end"]) => withdrawn.filter((one) => one.end === end);
  const names = (ones: readonly Withdrawn[]) => some(ones.map(({ job }) => visible(job)));
  const tell = (ones: readonly Withdrawn[], what: string) => {
    if (ones.length > 0) say("fjord", `${what}: ${names(ones)}.`);
  };
  const done = of("done");
  const verb = isDryRun ? words.foretold : words.done;
  say("fjord", `${verb} ${count(done.length)}${done.length > 0 ? `: ${names(done)}` : ""}.`);
  tell(of("ended"), "Had ended already");
  tell(of("running"), "Left, as they run (fjord cancel stops them)");
  tell(of("name-taken"), "Left, as another of the name is held");
  tell(of("gone"), "Not there any more");
  tell(of("asked"), "Their workers were asked, and have not answered yet");
  return withdrawn.every(({ end }) => end === "done" || end === "ended");
}
