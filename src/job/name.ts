import { quote } from "./quote.js";

/** NAME_MAX is 255 on every file system we know; the lockfile and the attempt's log stand beside with a longer name. */
export const NAME_LIMIT = 240;

const LEFT_ALONE = /^\.|^#.*#$|~$|\.(?:swp|swo|tmp|part|lock)$/s;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** What people call the job: `a.ini` is the job `a`. A script keeps its ending: `run.sh` is `run.sh`. */
export function jobName(fileName: string): string {
  return fileName.endsWith(".ini") ? fileName.slice(0, -".ini".length) : fileName;
}

/**
 * Names that are never jobs, but what editors, copiers, network file systems and fjord itself leave lying
 * about. They are neither run nor refused nor moved. Wins over `checkName`.
 */
export function isIgnored(fileName: string): boolean {
  return LEFT_ALONE.test(fileName);
}

/**
 * Why a file of this name cannot be a job, or undefined. A name is a key in the ledger, a word in the log and
 * the stem of other files' names; spaces, quotes, `%`, a leading `-` and Unicode do no harm there.
 */
export function checkName(fileName: string): string | undefined {
  const what = `the file name ${quote(fileName)}`;
  if (fileName === "") return "the file name is empty; give the file a name";
  if (CONTROL.test(fileName))
    return `${what} holds a control character such as a line break; rename the file`;
  if (fileName.includes("/")) return `${what} holds a "/"; a job is one file in jobqueue/`;
  // Node turns every byte that is no UTF-8 into U+FFFD, and then cannot open the file by that name.
  if (fileName.includes("\uFFFD")) return `${what} is not valid UTF-8 (or holds U+FFFD); rename the file`;
  const bytes = Buffer.byteLength(fileName);
  if (bytes > NAME_LIMIT) {
    return `${what} is ${bytes} bytes long; rename the file to at most ${NAME_LIMIT}`;
  }
  return undefined;
}
