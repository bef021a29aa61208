import type { Options } from "yargs";

/** An option without a value. It is true when it is typed. */
export function flag(describe: string) {
  return { type: "boolean", default: false, describe } as const satisfies Options;
}

/** An option that takes one text. The verb that owns the option reads numbers and durations from the text. */
export function text(describe: string) {
  return { type: "string", requiresArg: true, describe } as const satisfies Options;
}

/** An option that takes one text and can be typed several times. Its value is the list of all texts. */
export function texts(describe: string) {
  return { type: "string", array: true, requiresArg: true, nargs: 1, describe } as const satisfies Options;
}

/** Option of every command. */
export const PROJECT_OPTION = text(
  "the project: a name below $FJORD_HOME (~/.fjord), or a path with a / in it [$FJORD_PROJECT, or default]",
);

/** Option of the commands that make a project. */
export const SHARED_OPTION = text(
  "make a new project for this group, whose members may submit jobs, hire and dispatch [for you alone]",
);

/** Option of the commands that print their result as one JSON value. */
export const JSON_OPTION = flag("print JSON");

/** Option of the verbs that act on jobs. */
export const DRY_RUN = flag("print what would be done, and do nothing");

/** Name under which yargs returns the value of an option beside its own name: `dryRun` for `dry-run`. */
export function camelCaseOf(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Values of options of which none is typed, under their names in camel case, as the parser returns them. */
export function defaultsOf(options: Readonly<Record<string, Options>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { default: value }]) => [camelCaseOf(name), value]),
  );
}
