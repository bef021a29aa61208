/** Words that a shell reads the same whether quoted or not. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+:,./=-]+$/;
/** What makes a shell of a word more than the word. */
const SHELL_GRAMMAR = /[\s;&|<>()$`\\"'*?[\]#~{}!]/;

/** Quotes a word for a POSIX shell (2.2.2): nothing in it is special, newlines included. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * The command line that runs what was given as words, each as it is. One word alone that a shell would not take for a word
 * is a command line already: `fjord submit -- 'make && ./run'`.
 */
export function commandLineOf(words: readonly string[]): string {
  const [only] = words;
  if (words.length === 1 && only !== undefined && SHELL_GRAMMAR.test(only)) return only;
  return words.map((word) => (PLAIN_WORD.test(word) ? word : shellQuote(word))).join(" ");
}
