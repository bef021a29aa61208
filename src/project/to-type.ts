import { shellWord } from "../job/shell-words.js";

/** Command for a message, with `--project` if the user named a project. */
export function toType(command: string, project: string | undefined): string {
  return project === undefined ? command : `${command} --project ${shellWord(project)}`;
}
