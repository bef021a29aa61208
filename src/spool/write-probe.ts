import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Clock } from "../store/clock.js";

/**
 * Asks for a read lease on each file whose path it reads (fcntl(2), F_SETLEASE, which is 1024 on all architectures), and gives
 * the lease back by closing the file. The kernel refuses the lease with EAGAIN while the file is open for writing, whichever
 * process has it open. A process that opens the file for writing meanwhile waits for the close, and the kernel sends SIGIO.
 */
const SCRIPT = String.raw`
use Fcntl;
$SIG{IO} = "IGNORE";
$/ = "\0";
$| = 1;
sub answer {
  sysopen(my $file, $_[0], O_RDONLY | O_NONBLOCK | O_NOFOLLOW) or return "?";
  return "free" if fcntl($file, 1024, F_RDLCK);
  return $!{EAGAIN} ? "written" : "?";
}
print "ready";
while (<STDIN>) {
  chomp;
  print answer($_);
}
`;
/** The system's own perl. A perl that is found in PATH may be a wrapper that takes long to start. */
const PERL = "/usr/bin/perl";
/** Longest time to wait for an answer, in ms. */
const PATIENCE = 1000;

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** The process that runs the script. `gone`: it cannot be started, or it failed once. */
type Helper =
  | { readonly kind: "unused" | "starting" | "gone" }
  | { readonly kind: "loading" | "ready"; readonly child: Child }
  | { readonly kind: "asked"; readonly child: Child; readonly hear: (answer: string | undefined) => void };

/**
 * Asks the kernel whether a file is open for writing. Node has no call for this, so a small Perl process asks. An answer takes
 * 0.1 ms, however many files are open on the host. The process is started when it is needed for the first time, and ends with
 * its parent.
 */
export class WriteProbe {
  readonly #clock: Clock;
  #helper: Helper = { kind: "unused" };
  /** Whether the kernel has granted a lease. Some network file systems refuse every lease as if each file were being written. */
  #hasGranted = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @returns undefined if the kernel does not tell: the helper is not ready, the system has no Perl, the file does not belong to
   * this user, or its file system knows no leases
   */
  async isWritten(path: string): Promise<boolean | undefined> {
    if (this.#helper.kind === "unused") {
      this.#helper = { kind: "starting" };
      this.#clock.after(0, () => void this.#start()); // a spawn takes a millisecond, and the caller need not wait for it
    }
    if (this.#helper.kind !== "ready") return undefined;
    const { child } = this.#helper;
    const answer = await new Promise<string | undefined>((resolve) => {
      const callOff = this.#clock.after(PATIENCE, () => this.stop());
      const hear = (text: string | undefined) => {
        callOff();
        resolve(text);
      };
      this.#helper = { kind: "asked", child, hear };
      child.stdin.write(`${path}\0`);
    });
    if (answer === "free") this.#hasGranted = true;
    if (!this.#hasGranted || (answer !== "free" && answer !== "written")) return undefined;
    return answer === "written";
  }

  /** Ends the helper. Later questions have no answer. */
  stop(): void {
    const helper = this.#helper;
    this.#helper = { kind: "gone" };
    if ("child" in helper) helper.child.kill("SIGKILL");
    if ("hear" in helper) helper.hear(undefined);
  }

  async #start(): Promise<void> {
    const { spawn } = await import("node:child_process");
    if (this.#helper.kind !== "starting") return; // stopped meanwhile
    try {
      const child = spawn(PERL, ["-e", SCRIPT], { cwd: "/", env: {}, stdio: ["pipe", "pipe", "ignore"] });
      child.on("error", () => this.stop());
      child.on("exit", () => this.stop());
      child.stdin.on("error", () => this.stop());
      child.stdout.setEncoding("latin1").on("data", (text: string) => this.#hear(text));
      this.#helper = { kind: "loading", child };
    } catch {
      this.stop(); // the system has no memory or no descriptors left
    }
  }

  #hear(text: string): void {
    const helper = this.#helper;
    if (helper.kind === "loading" || helper.kind === "asked") {
      this.#helper = { kind: "ready", child: helper.child };
      if (helper.kind === "asked") helper.hear(text);
    } else {
      this.stop(); // nothing was asked
    }
  }
}
