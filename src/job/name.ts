import { quote } from "./quote.js";

/**
 * Longest file name of a job, in bytes. NAME_MAX is 255 on all common file systems, and the names of the lockfile and of the
 * attempts' logs are longer than the job's.
 */
export const NAME_LIMIT = 240;

const LEFT_ALONE = /^\.|^#.*#$|~$|\.(?:swp|swo|tmp|part|lock)$/s;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/**
 * Name of a job from the name of its file. The file `a.ini` is the job `a`. A script keeps its suffix, so `run.sh` is the job
 * `run.sh`.
 */
export function jobName(fileName: string): string {
  return fileName.endsWith(".ini") ? fileName.slice(0, -".ini".length) : fileName;
}

/**
 * Whether fjord ignores a file because of its name: temporary files of editors, of copying programs, of network file systems and
 * of fjord itself. Such files are not run, refused or moved. Call this function before `checkName`.
 */
export function isIgnored(fileName: string): boolean {
  return LEFT_ALONE.test(fileName);
}

/**
 * Reason why a file with this name cannot be a job; undefined when it can. A name is a key in the ledger, a word in logs and
 * part of other files' names. Spaces, quotes, `%`, a leading `-` and Unicode do no harm there.
 */
export function checkName(fileName: string): string | undefined {
  const what = `the file name ${quote(fileName)}`;
  if (fileName === "") return "the file name is empty; give the file a name";
  if (CONTROL.test(fileName))
    return `${what} holds a control character such as a line break; rename the file`;
  if (fileName.includes("/")) return `${what} holds a "/"; a job is one file in jobqueue/`;
  // Node turns bytes that are not UTF-8 into U+FFFD, and cannot open the file by the resulting name.
  if (fileName.includes("\uFFFD")) return `${what} is not valid UTF-8 (or holds U+FFFD); rename the file`;
  const bytes = Buffer.byteLength(fileName);
  if (bytes > NAME_LIMIT) {
    return `${what} is ${bytes} bytes long; rename the file to at most ${NAME_LIMIT}`;
  }
  return undefined;
}
