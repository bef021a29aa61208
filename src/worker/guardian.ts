import { execa } from "execa";

/**
 * Reads from a pipe of which only the worker has the other end. When the pipe ends, the worker is dead. When the worker writes
 * nothing until the deadline, it is stopped or cannot reach the store (S10). In both cases the script kills the process group.
 *
 * Without the command `timeout` of coreutils there is no deadline, only the pipe. With the command `pkill` of procps the script
 * also kills processes that left the group but not the session. A command that runs under `timeout` is such a process.
 * There is no `--` after the signal, because dash takes it for a process.
 */
const SCRIPT = `
trap '' HUP INT QUIT TERM
command -v timeout >/dev/null && timed=yes
while read -r word; do
  while [ "$word" != rest ]; do
    [ "$word" = bye ] && exit 0
    [ "$timed" = yes ] || break
    word=$(timeout "$word" sh -c 'read -r next && echo "$next"') || break 2
  done
done
kill -KILL "-$1"
pkill -KILL -s "$1"
exit 9
`;

function startShell(group: number) {
  return execa("/bin/sh", ["-c", SCRIPT, "fjord-guardian", String(group)], {
    cwd: "/",
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
  });
}

/** A small shell that lives a little longer than the worker, and kills the worker's job when the worker dies. */
export class Guardian {
  readonly #shell: ReturnType<typeof startShell>;
  #watches = false;
  #dismissed: Promise<boolean> | undefined;

  /** @param group the process group to kill */
  constructor(group: number) {
    this.#shell = startShell(group);
    this.#shell.stdin.on("error", () => undefined);
  }

  /** Sets a deadline, in seconds, unless there is one. */
  watch(seconds: number): void {
    if (!this.#watches) this.renew(seconds);
  }

  /** Replaces the deadline. @param seconds from now */
  renew(seconds: number): void {
    this.#watches = true;
    this.#shell.stdin.write(`${seconds}\n`);
  }

  /** Removes the deadline. Without one this costs no system call. */
  rest(): void {
    if (!this.#watches) return;
    this.#watches = false;
    this.#shell.stdin.write("rest\n");
  }

  /**
   * Ends the guardian, because the group is dead.
   *
   * @returns whether this guardian killed the group, or was killed together with it. The guardian's exit code tells, so the
   * answer does not depend on which of the two deaths this process notices first.
   */
  dismiss(): Promise<boolean> {
    this.#dismissed ??= this.#sayGoodbye();
    return this.#dismissed;
  }

  async #sayGoodbye(): Promise<boolean> {
    this.#shell.stdin.end("bye\n");
    const { exitCode } = await this.#shell;
    return exitCode !== 0;
  }
}
