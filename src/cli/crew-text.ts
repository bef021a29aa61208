import { FjordError } from "../job/error.js";
import { shellWord } from "../job/shell-words.js";
import type { Project } from "../library/project.js";
import type { CrewNews } from "../run/crew.js";
import { count } from "./wording.js";

/** The line in which `fjord run` reports a change of its workers. */
export function crewText(news: CrewNews): string {
  if (news.kind === "full") return "All lost workers have been replaced.";
  return `A lost worker cannot be replaced; the run goes on with ${count(news.left, "worker")}. ${news.reason}`;
}

/** Extends the refusal of a hire that ends the run. The text names the commands with which the user can go on. */
export function withWhatStays(error: unknown, { directory }: Project): unknown {
  if (!(error instanceof FjordError) || error.code !== "hire-failed") return error;
  const lines = [error.message, error.hint, "No worker is left, so this run ends."].filter(Boolean);
  const there = `--project ${shellWord(directory)}`;
  const hint = `Jobs that have not ended stay in the queue. Go on with: recruiter hire ${there}; dispatcher ${there}`;
  return new FjordError(error.code, lines.join("\n"), hint, { cause: error });
}
