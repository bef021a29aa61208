import { slipsIn } from "../job/slips.js";
import { commandIn, filesOf, readSource } from "./draft.js";
import type { Wanted } from "./wanted.js";

/** What looks like a place for a value and is none, a line each. What cannot be read is told when it is drafted. */
export function slipsOf(wanted: Wanted): string[] {
  const { command = [], files = [], exe, sweep, name = "", logfile = "", workdir = "", env = {} } = wanted;
  if (exe !== undefined) return []; // its places are $1, $2
  const others = [name, logfile, workdir, ...Object.values(env)];
  const looked = (texts: readonly string[]) => slipsIn({ texts: [...texts, ...others], names: sweep?.names });
  if (command.length > 0) return looked(command);
  return sweep === undefined ? [] : [...new Set(files.flatMap((file) => textsOf(file).flatMap(looked)))];
}

/** Of a job file, or of each in a folder, the texts in which places may be. */
function textsOf(given: string): string[][] {
  try {
    return filesOf(given).map((file) => {
      const source = readSource(file);
      const { executable, logfile = "", workdir = "" } = commandIn(`${source.name}${source.ending}`, source);
      return [executable, logfile, workdir];
    });
  } catch {
    return [];
  }
}
