import { execa } from "execa";

/**
 * Reads from a pipe whose other end only the worker has. The end of the pipe means that the worker is dead, however it
 * died; no word within the deadline means that it is stopped or cannot reach the store (S10). Either way the
 * process group is killed. `timeout` is coreutils'; where it is missing there is no deadline, only the pipe.
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
kill -KILL -- "-$1"
`;

function startShell(group: number) {
  return execa("/bin/sh", ["-c", SCRIPT, "fjord-guardian", String(group)], {
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
  #deadline = false;
  readonly #ended: Promise<true>;

  /** @param group the process group to kill */
  constructor(group: number) {
    this.#shell = startShell(group);
    this.#shell.stdin.on("error", () => undefined);
    this.#ended = new Promise((resolve) => {
      this.#shell.once("exit", () => resolve(true));
    });
  }

  /** Whether it ends by itself in that time, ms: then it has killed the group, or was killed. */
  endsWithin(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      void this.#ended.then(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** @param seconds until the next word, or the group dies */
  expect(seconds: number): void {
    this.#deadline = true;
    this.#shell.stdin.write(`${seconds}\n`);
  }

  rest(): void {
    if (!this.#deadline) return;
    this.#deadline = false;
    this.#shell.stdin.write("rest\n");
  }

  /** The group is gone: nothing to guard. */
  dismiss(): void {
    this.#shell.stdin.end("bye\n");
  }
}
