/** Jobs from which on, and after so many of which, it is shown how far it is. */
const SHOWN_FROM = 5000;
const SHOWN_EACH = 1000;

/**
 * Tells how far it is when it takes long, on a terminal: `Removed 3000 of 20000`, a line that overwrites itself and goes.
 *
 * @param done what has been done with the jobs
 * @returns to be told after each; undefined where there is no terminal
 */
export function countOnTerminal(done: string): ((count: number, of: number) => void) | undefined {
  if (!process.stdout.isTTY) return undefined;
  return (count, of) => {
    if (of < SHOWN_FROM) return;
    if (count === of) process.stdout.write("\r\x1b[K");
    else if (count % SHOWN_EACH === 0) process.stdout.write(`\r[fjord] ${done} ${count} of ${of}`);
  };
}
