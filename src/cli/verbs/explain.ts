import type { Explanation } from "../../explain/explain-jobs.js";
import { visible } from "../../job/quote.js";
import { shellWord } from "../../job/shell-words.js";
import { toType } from "../../project/to-type.js";
import { EXIT, printJson } from "../main.js";
import { openExisting } from "../open-project.js";
import { JSON_OPTION } from "../option.js";
import { type Common, JOBS, needJobs, type Verb } from "../verb.js";

/** Largest number of jobs that are explained. If there are more jobs, fjord chooses jobs with different reasons. */
const TOLD = 20;
/** Largest number of words that the hint repeats. */
const WORDS = 5;

interface Args extends Common {
  readonly jobs: string[];
  readonly json: boolean;
}

/** `fjord explain`: says why jobs wait or failed, and what to do about it. */
export const verb: Verb<Args> = {
  words: { jobs: JOBS },
  options: { json: JSON_OPTION },
  examples: [["fjord explain run7", "why the job does not run, or why it failed"]],

  async run(args) {
    needJobs(args.jobs);
    const project = await openExisting(args);
    const explained = await project.explain(await project.jobs(args.jobs), { named: args.project });
    if (args.json) {
      printJson(explained);
      return EXIT.ok;
    }
    const told = telling(explained);
    for (const { job, state, reasons } of told) {
      process.stdout.write(`${visible(job)}: ${state}\n`);
      for (const { text, todo } of reasons) {
        process.stdout.write(`  ${text}${todo === undefined ? "" : ` → ${todo}`}\n`);
      }
    }
    const rest = explained.length - told.length;
    if (rest > 0) {
      // The words are many if the shell has expanded a pattern, and the line would be too long.
      const words = args.jobs.length > WORDS ? "JOB…" : args.jobs.map(shellWord).join(" ");
      const all = toType(`fjord explain --json ${words}`, args.project);
      process.stdout.write(`… and ${rest} more, for reasons like these; all of them: ${all}\n`);
    }
    return EXIT.ok;
  },
};

/** Chooses some of many jobs: first one for each kind of reason, then jobs whose reasons have different texts. */
function telling(explained: readonly Explanation[]): readonly Explanation[] {
  if (explained.length <= TOLD) return explained;
  const kinds = ({ state, reasons }: Explanation) => [state, ...reasons.map(({ kind }) => kind)].join(" ");
  const texts = (one: Explanation) =>
    [kinds(one), ...one.reasons.map(({ text }) => text.replaceAll(one.job, ""))].join("\n");
  const differing = new Set([...firstOfEach(explained, kinds), ...firstOfEach(explained, texts)]);
  const told = new Set([...differing].slice(0, TOLD));
  return explained.filter((one) => told.has(one));
}

function firstOfEach(explained: readonly Explanation[], keyOf: (one: Explanation) => string): Explanation[] {
  const first = new Map<string, Explanation>();
  for (const one of explained) if (!first.has(keyOf(one))) first.set(keyOf(one), one);
  return [...first.values()];
}
