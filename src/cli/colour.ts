import { styleText } from "node:util";

export type Colour = "green" | "yellow" | "red";

interface Output {
  readonly isTTY?: boolean;
  hasColors?(): boolean;
}

/**
 * Whether to print in colour: as FORCE_COLOR says (`0` and `false` mean no), else not if NO_COLOR is set
 * (https://no-color.org), else if the output is a terminal that can.
 */
export function isColoured(env: NodeJS.ProcessEnv, output: Output): boolean {
  if (env.FORCE_COLOR !== undefined) return !["0", "false"].includes(env.FORCE_COLOR);
  if (env.NO_COLOR) return false;
  return output.isTTY === true && output.hasColors?.() === true;
}

/** A text for standard output, in colour where that is wanted. */
export function paint(text: string, colour: Colour | undefined): string {
  if (colour === undefined || !isColoured(process.env, process.stdout)) return text;
  // Node 20 would not ask the stream, and later ones ask it otherwise.
  return styleText(colour, text, { validateStream: false });
}

/** Green for jobs that are done, red for those that failed; everything else is plain. */
export function colourOfState(state: string): Colour | undefined {
  if (state === "done") return "green";
  return state === "failed" ? "red" : undefined;
}
