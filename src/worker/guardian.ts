import { execa } from "execa";

/**
 * Reads from a pipe whose other end only the worker has. The end of the pipe means that the worker is dead, however it
 * died; no word within the deadline means that it is stopped or cannot reach the store (S10). Either way the
 * process group is killed. `timeout` is coreutils'; where it is missing there is no deadline, only the pipe.
 * What has left the group and not the session (coreutils' `timeout`) goes too, where there is procps' `pkill`.
 * No `--` after the signal: dash takes it for a process.
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

/** A small shell that outlives the worker just long enough to see to it that no job does. */
export class Guardian {
  readonly #shell: ReturnType<typeof startShell>;
  #watches = false;
  #dismissed: Promise<boolean> | undefined;

  /** @param group the process group to kill */
  constructor(group: number) {
    this.#shell = startShell(group);
    this.#shell.stdin.on("error", () => undefined);
  }

  /** From now on there is a deadline; where there is one, it stays as it is. */
  watch(seconds: number): void {
    if (!this.#watches) this.renew(seconds);
  }

  /** @param seconds until the next word, or the group dies */
  renew(seconds: number): void {
    this.#watches = true;
    this.#shell.stdin.write(`${seconds}\n`);
  }

  /** No deadline. Costs nothing when there is none. */
  rest(): void {
    if (!this.#watches) return;
    this.#watches = false;
    this.#shell.stdin.write("rest\n");
  }

  /**
   * The group is gone: nothing to guard. Tells whether this guardian did it (or was killed with it); its own exit
   * says so, whichever of the two is noticed first.
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
