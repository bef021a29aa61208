/** Words that a shell reads the same whether quoted or not. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+:,./=-]+$/;
/** What makes a shell of a word more than the word. */
const SHELL_GRAMMAR = /[\s;&|<>()$`\\"'*?[\]#~{}!]/;

/** What a shell runs itself, or reads as grammar: `exec` would look for a program of that name. */
export const SHELL_WORDS: ReadonlySet<string> = new Set(
  (
    ". : alias bg bind break builtin caller case cd command compgen complete continue coproc declare dirs disown do " +
    "done echo elif else enable end esac eval exec exit export false fc fg fi for foreach function getopts hash help " +
    "history if in jobs kill let local logout popd printf pushd pwd read readonly return select set shift shopt " +
    "source suspend test then time times trap true type typeset ulimit umask unalias unset until wait while"
  ).split(" "),
);

/** Quotes a word for a POSIX shell (2.2.2): nothing in it is special, newlines included. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** A word as one types it: quoted only if it has to be. */
export function shellWord(word: string): string {
  return PLAIN_WORD.test(word) ? word : shellQuote(word);
}

/**
 * The command line that runs what was given as words, each as it is. One word alone that a shell would not take for a word
 * is a command line already: `fjord submit -- 'make && ./run'`.
 */
export function commandLineOf(words: readonly string[]): string {
  return shellLineIn(words) ?? words.map(shellWord).join(" ");
}

/** The one word that is a command line already; undefined when each word is one. */
export function shellLineIn(words: readonly string[]): string | undefined {
  const [only] = words;
  return words.length === 1 && only !== undefined && SHELL_GRAMMAR.test(only) ? only : undefined;
}

/** Whether something can be written behind a command line, on its last line, without becoming a part of it. */
export function canGoOn(line: string): boolean {
  return !line.includes("\n") && !line.endsWith("\\");
}

/** What `printf` would not print as it stands, or an ini file not hold. */
const UNPRINTABLE = /^-|[\\%'\p{Cc}]/gu;

/** The same command line without line breaks and control characters: the shell makes it up again. */
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
