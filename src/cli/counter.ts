/** Smallest number of jobs for which progress is shown, and number of jobs from one text to the next. */
const SHOWN_FROM = 5000;
const SHOWN_EACH = 1000;

/**
 * Shows the progress of long work on a terminal: `Removed 3000 of 20000`, a line that overwrites itself and disappears.
 *
 * @param done participle for the work on the jobs, such as `Removed`
 * @returns a function to call after each job; undefined where there is no terminal
 */
export function countOnTerminal(done: string): ((count: number, of: number) => void) | undefined {
  if (!process.stdout.isTTY) return undefined;
  return (count, of) => {
    if (of < SHOWN_FROM) return;
    if (count === of) process.stdout.write("\r\x1b[K");
    else if (count % SHOWN_EACH === 0) process.stdout.write(`\r[fjord] ${done} ${count} of ${of}`);
  };
}
