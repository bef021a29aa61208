import type { Project } from "../../compose/project.js";
import { EXIT } from "../main.js";
import { openExisting } from "../open.js";
import { statusText } from "../status-text.js";
import type { Common, Verb } from "../verb.js";

/** Between two frames, ms, at the least; and this many times what a look takes. */
const FRAMES_APART = 1000;
const LOOK_SHARE = 10;
/** Of a look that the store kept waiting, ms. */
const FRAMES_APART_AT_MOST = 10_000;
/** xterm's control sequences: the other screen and no cursor, and back; home; the rest of a line, of the screen. */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_REST = "\x1b[J";
/** q, and what Ctrl-C and Ctrl-D are where the terminal does not make signals of them. */
const QUIT = ["q", "\x03", "\x04"];

/** `fjord top`: the status, live. */
export const verb: Verb<Common> = {
  options: (y) =>
    y
      .epilogue("q or Ctrl-C ends it. Without a terminal it prints the status once.")
      .example("fjord top", "who does what, now"),

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
    const text = statusText(await project.status(), named);
    const took = performance.now() - begin;
    process.stdout.write(HOME + frame(text) + CLEAR_REST);
    await pause(Math.max(FRAMES_APART, Math.min(took * LOOK_SHARE, FRAMES_APART_AT_MOST)), stop);
  }
}

/** As much as the screen takes; the time stands at its top right. */
function frame(text: string): string {
  const { columns = 80, rows = 24 } = process.stdout;
  const lines = text
    .trimEnd()
    .split("\n")
    .slice(0, rows - 1);
  const time = new Date().toLocaleTimeString("en-GB");
  const [first = "", ...rest] = lines.map((line) => (line.includes("\x1b") ? line : line.slice(0, columns)));
  const head = `${first.slice(0, columns - time.length - 2).padEnd(columns - time.length - 1)}${time}`;
  return [head, ...rest].map((line) => `${line}${CLEAR_LINE}`).join("\r\n");
}

/** Until then, or until the terminal's size changes. */
function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop.removeEventListener("abort", end);
      process.stdout.removeListener("resize", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    stop.addEventListener("abort", end);
    process.stdout.on("resize", end);
    if (stop.aborted) end();
  });
}
