import { styleText } from "node:util";

export type Colour = "green" | "yellow" | "red";

interface Output {
  readonly isTTY?: boolean;
  hasColors?(env: NodeJS.ProcessEnv): boolean;
}

/**
 * Whether to print in colour. FORCE_COLOR decides if it is set; `0` and `false` mean no. Otherwise a NO_COLOR that is not
 * empty means no (https://no-color.org). Without both, a terminal that has colours means yes.
 */
export function isColoured(env: NodeJS.ProcessEnv, output: Output): boolean {
  if (env.FORCE_COLOR !== undefined) return !["0", "false"].includes(env.FORCE_COLOR);
  if (env.NO_COLOR) return false;
  const { NO_COLOR: _, ...rest } = env; // Node reads an empty NO_COLOR as a no
  return output.isTTY === true && output.hasColors?.(rest) === true;
}

/** Colours a text for standard output, if colour is wanted. */
export function paint(text: string, colour: Colour | undefined): string {
  if (colour === undefined || !isColoured(process.env, process.stdout)) return text;
  // `isColoured` has already decided. Node must not check the stream again, because versions after 20 use other rules.
  return styleText(colour, text, { validateStream: false });
}

/** Green for done jobs, red for failed jobs, no colour for other states. */
export function colourOfState(state: string): Colour | undefined {
  if (state === "done") return "green";
  return state === "failed" ? "red" : undefined;
}
