import { shellWord } from "../job/shell-words.js";

/** A command as it is to be typed for the project that somebody named; as it is when nobody named one. */
export function toType(command: string, project: string | undefined): string {
  return project === undefined ? command : `${command} --project ${shellWord(project)}`;
}
