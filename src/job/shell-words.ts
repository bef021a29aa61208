/** Words that a shell reads the same whether quoted or not. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+:,./=-]+$/;
/** Characters that have a meaning for a shell. */
const SHELL_GRAMMAR = /[\s;&|<>()$`\\"'*?[\]#~{}!]/;

/** Builtins and reserved words of shells. `exec` must not be put before them, because it looks for a program. */
export const SHELL_WORDS: ReadonlySet<string> = new Set(
  (
    ". : alias bg bind break builtin caller case cd command compgen complete continue coproc declare dirs disown do " +
    "done echo elif else enable end esac eval exec exit export false fc fg fi for foreach function getopts hash help " +
    "history if in jobs kill let local logout popd printf pushd pwd read readonly return select set shift shopt " +
    "source suspend test then time times trap true type typeset ulimit umask unalias unset until wait while"
  ).split(" "),
);

/** Quotes a word for a POSIX shell (2.2.2), so that no character is special, not even a line break. */
export function shellQuote(word: string): string {
  return word.includes("'") ? `'${word.replaceAll("'", "'\\''")}'` : `'${word}'`;
}

/** Quotes a word for a POSIX shell if it needs quotes. */
export function shellWord(word: string): string {
  return PLAIN_WORD.test(word) ? word : shellQuote(word);
}

/**
 * The command line that runs these words. A single word with characters that are special for a shell is a command line already:
 * `fjord submit -- 'make && ./run'`.
 */
export function commandLineOf(words: readonly string[]): string {
  return shellLineIn(words) ?? words.map(shellWord).join(" ");
}

/** The single word that is a command line already; undefined for any other words. */
export function shellLineIn(words: readonly string[]): string | undefined {
  const [only] = words;
  return words.length === 1 && only !== undefined && SHELL_GRAMMAR.test(only) ? only : undefined;
}

/** Whether more commands can be appended to the last line of a command line. */
export function canGoOn(line: string): boolean {
  return !line.includes("\n") && !line.endsWith("\\");
}

/** Characters that `printf` would not print unchanged, or that an ini file cannot hold. */
const UNPRINTABLE = /^-|[\\%'\p{Cc}]/gu;

/** A line without line breaks and control characters that makes the shell run the given command line. */
export function withoutLineBreaks(line: string): string {
  const format = line.replace(UNPRINTABLE, (char) => {
    if (char === "%") return "%%";
    if (char === "\n") return "\\n";
    if (char === "\\") return "\\\\";
    const code = char.charCodeAt(0);
    return code < 128 ? `\\${code.toString(8).padStart(3, "0")}` : char;
  });
  return `eval "$(printf '${format}')"`;
}
