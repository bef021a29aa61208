import type { Project } from "../../library/project.js";
import type { Status } from "../../report/status.js";
import type { Clock } from "../../store/clock.js";
import { pauseAfter } from "../../store/pause.js";
import { EXIT } from "../main.js";
import { openExisting } from "../open-project.js";
import { statusLines, statusText } from "../status-text.js";
import type { Common, Verb } from "../verb.js";

/** Pause between two frames. */
const PAUSE = { times: 10, atLeast: 1000, atMost: 10_000 };
/**
 * Control sequences of xterm: switch to the other screen without a cursor, switch back, move to the top left, clear the rest of a
 * line, clear the rest of the screen.
 */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_REST = "\x1b[J";
/** q, and the bytes of Ctrl-C and Ctrl-D. A terminal in raw mode does not turn these bytes into signals. */
const QUIT = ["q", "\x03", "\x04"];

/** `fjord top`: shows the status and keeps it up to date. */
export const verb: Verb<Common> = {
  options: {},
  examples: [["fjord top", "the workers and their jobs, now"]],
  notes: "q or Ctrl-C ends the display. Without a terminal, the command prints the status once.",

  async run(args) {
    const project = await openExisting(args);
    if (!process.stdout.isTTY) {
      process.stdout.write(statusText(await project.status(), args.project));
      return EXIT.ok;
    }
    const stop = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
    const { stdin } = process;
    if (stdin.isTTY) stdin.setRawMode(true);
    stdin.on("data", (keys: Buffer) => {
      if (QUIT.some((key) => keys.includes(key))) stop.abort();
    });
    process.stdout.write(ENTER);
    try {
      await draw(project, args.project, stop.signal);
    } finally {
      process.stdout.write(LEAVE);
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.pause();
    }
    return EXIT.ok;
  },
};

async function draw(project: Project, named: string | undefined, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const begin = performance.now();
    const status = await project.status();
    const took = performance.now() - begin;
    process.stdout.write(HOME + frame(status, named) + CLEAR_REST);
    await pause(project.store.clock, pauseAfter(took, PAUSE), stop);
  }
}

/** The lines that fit on the screen, with the time at the top right. */
function frame(status: Status, named: string | undefined): string {
  const { columns = 80, rows = 24 } = process.stdout;
  const lines = statusLines(status, named, rows - 1);
  const time = new Date().toLocaleTimeString("en-GB");
  const [first = "", ...rest] = lines.map((line) => (line.includes("\x1b") ? line : line.slice(0, columns)));
  const head = `${first.slice(0, columns - time.length - 2).padEnd(columns - time.length - 1)}${time}`;
  return [head, ...rest].map((line) => `${line}${CLEAR_LINE}`).join("\r\n");
}

/** Waits until the time has passed or the size of the terminal changes. */
async function pause(clock: Clock, ms: number, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return;
  const over = new AbortController();
  const end = () => over.abort();
  stop.addEventListener("abort", end);
  process.stdout.on("resize", end);
  await clock.sleep(ms, over.signal);
  stop.removeEventListener("abort", end);
  process.stdout.removeListener("resize", end);
}
