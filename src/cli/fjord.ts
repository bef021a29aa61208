import { EXIT, main } from "./main.js";
import { quickly } from "./quickly.js";
import type { Verb } from "./verb.js";

type Load = () => Promise<{ verb: Verb<never> }>;

/** Every verb: how it is called, what it does, and the file that does it, which is only loaded for that. */
const VERBS: readonly (readonly [usage: string, what: string | false, load: Load])[] = [
  ["status", "show the project at a glance; what fjord alone does, too", () => import("./verbs/status.js")],
  // Twice: yargs does not list a command that is also what is done when nothing is said.
  ["$0", false, () => import("./verbs/status.js")],
  [
    "submit [files..]",
    "put jobs into the queue: files, folders, or a command",
    () => import("./verbs/submit.js"),
  ],
  ["top", "show the status live", () => import("./verbs/top.js")],
  ["run [files..]", "run jobs here, now, and end with their outcome", () => import("./verbs/run.js")],
  ["list [jobs..]", "list jobs, a line each", () => import("./verbs/list.js")],
  ["explain [jobs..]", "say why jobs are where they are", () => import("./verbs/explain.js")],
  ["show [jobs..]", "show all that is known of a job", () => import("./verbs/show.js")],
  ["log [jobs..]", "print what jobs printed, or are printing", () => import("./verbs/log.js")],
  ["history [jobs..]", "list every attempt: as table, CSV, JSON", () => import("./verbs/history.js")],
  [
    "cancel [jobs..]",
    "take jobs out of the queue, and stop those that run",
    () => import("./verbs/cancel.js"),
  ],
  ["hold [jobs..]", "keep jobs that wait from being run", () => import("./verbs/hold.js")],
  ["release [jobs..]", "put held jobs back into the queue", () => import("./verbs/release.js")],
  ["edit [jobs..]", "change the file of a job that waits", () => import("./verbs/edit.js")],
  ["clean [jobs..]", "remove jobs that ended long ago, with their logs", () => import("./verbs/clean.js")],
  ["wait [jobs..]", "wait until jobs have ended", () => import("./verbs/wait.js")],
  ["retry [jobs..]", "put jobs that failed back into the queue", () => import("./verbs/retry.js")],
  [
    "results [jobs..]",
    "list what went into jobs and what came out: as table, CSV, JSON",
    () => import("./verbs/results.js"),
  ],
  ["progress <done> [text..]", "tell, inside a job, how far it is", () => import("./verbs/progress.js")],
  ["completion <shell>", "print what makes a shell complete words", () => import("./verbs/completion.js")],
  ["doctor [dir]", "test whether fjord can work in a directory", () => import("./verbs/doctor.js")],
];

const nameOf = (usage: string) => usage.split(" ", 1)[0] ?? "";

/** What stands behind `--` is a command, or names of jobs that look like options. */
function withWords(args: object, behind: readonly string[]): object {
  return "jobs" in args ? { ...args, jobs: [...(args.jobs as string[]), ...behind] } : { ...args, behind };
}

main("fjord", async () => {
  const all = process.argv.slice(2);
  const quick = await quickly(all);
  if (quick !== undefined) return quick;
  const { COMPLETE, helpMeant, parser, repeatProject } = await import("./command.js");
  const names = VERBS.map(([usage]) => nameOf(usage)).filter((name) => name !== "$0");
  // yargs would read the numbers behind -- and write them anew (1e3, 0x10): for a command they have to stay.
  const end = all.indexOf("--");
  const words = helpMeant(end < 0 ? all : all.slice(0, end), names);
  const behind = end < 0 ? [] : all.slice(end + 1);
  let code: number = EXIT.ok;
  let y = parser(
    "fjord",
    "fjord [verb]\n\nLooks at a project, and puts it right.",
    "recruiter, dispatcher and worker do the work. fjord help VERB has examples.",
    names,
  );
  for (const [usage, what, load] of VERBS) {
    const name = nameOf(usage);
    const verb = name === "$0" || words.includes(name) ? (await load()).verb : undefined;
    y = y.command(
      usage,
      what as string,
      (its) => {
        verb?.options(its as never);
        return its;
      },
      async (args) => {
        if (verb === undefined) return;
        code = await verb.run(withWords(args, behind) as never).catch((error) => {
          throw repeatProject(error, args.project as string | undefined);
        });
      },
    ) as typeof y;
  }
  if (words[0] === COMPLETE) {
    const { complete } = await import("./complete.js");
    await complete(
      y,
      VERBS.map(([usage]) => usage),
    );
  } else await y.parseAsync(words);
  return code;
});
