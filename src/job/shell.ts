/** The POSIX shell. It is the default shell for jobs, and the program of the launcher shell. */
export const SH = "/bin/sh";

/** The shell's path, or its name in PATH, and its options. All of them are words that need no quotes. */
const SHELL =
  /^(?:\/[A-Za-z0-9_@%+:,./=-]*)?[A-Za-z0-9_][A-Za-z0-9_@%+:,.-]*(?:[ \t]+[A-Za-z0-9_@%+:,./=-]+)*$/;

/** Text for messages: the values that `readShell` accepts. */
export const LIKE_A_SHELL =
  "the path of a POSIX shell, and its options if it needs some, such as /bin/bash or /bin/bash -l";

/** Shells with another syntax. They would report success for a command line that they cannot read. */
const FOREIGN = new Set(["fish", "csh", "tcsh", "nu", "elvish", "xonsh", "pwsh", "rc"]);

/** Reads a shell with its options, as the command before `-c`; undefined when the text is not a shell. */
export function readShell(text: string): string | undefined {
  const [program = ""] = text.split(/[ \t]/, 1);
  if (!SHELL.test(text) || FOREIGN.has(program.slice(program.lastIndexOf("/") + 1))) return undefined;
  return text.replace(/[ \t]+/g, " ");
}
