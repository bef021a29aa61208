/**
 * Largest number of characters of a line that are kept until the line ends. If a line is longer, its text is printed as it comes.
 */
const HELD = 1 << 16;
const LINE_END = /\r\n?|\n/g;

/**
 * State that is shared by all jobs whose output is printed together. `holder` has printed the beginning of a line, but not the
 * end.
 */
export class Turn {
  holder: MarkedLines | undefined;
}

/**
 * Puts the job's name in front of each line that the job prints. Lines of two jobs are never mixed. LF, CR and CRLF end a line,
 * so that a progress bar is visible while it grows. A CR in an empty line prints nothing. If another job prints before a line has
 * ended, the line is broken, and its rest gets the name again.
 *
 * Each character is kept at most once and joined at most once, so the work is linear for lines of any length.
 */
export class MarkedLines {
  readonly #mark: string;
  readonly #turn: Turn;
  #held: string[] = [];
  #heldLength = 0;
  /** State of the current line. `begun`: a part of the line is printed. `broken`: another job has printed after that part. */
  #line: "new" | "begun" | "broken" = "new";
  /**
   * Whether the last character was a CR. An LF after it belongs to the same line end. `blank`: the line was empty, and nothing
   * was printed.
   */
  #lastCr: "none" | "shown" | "blank" = "none";

  constructor(mark: string, turn: Turn) {
    this.#mark = mark;
    this.#turn = turn;
  }

  /** @returns the text to print now */
  add(text: string): string {
    if (text === "") return "";
    const out: string[] = [];
    let from = this.#finishCrLf(text, out);
    const isPlain = !text.includes("\r");
    LINE_END.lastIndex = from;
    for (let found = LINE_END.exec(text); found !== null; found = LINE_END.exec(text)) {
      this.#hold(text.slice(from, found.index));
      from = found.index + found[0].length;
      const isShown = this.#endLine(out, found[0]);
      if (found[0] === "\r" && from === text.length) this.#lastCr = isShown ? "shown" : "blank";
      if (isPlain) {
        from = this.#markPlain(text, from, out);
        break;
      }
    }
    this.#hold(text.slice(from));
    if (this.#heldLength > HELD || this.#line === "begun") this.#printHeld(out);
    return this.#take(out.join(""));
  }

  /** @returns the text to print when no more text comes: the unfinished line, with a line end */
  end(): string {
    this.#lastCr = "none";
    const out: string[] = [];
    if (this.#heldLength > 0 || this.#line === "begun") this.#endLine(out, "\n");
    this.#line = "new";
    return this.#take(out.join(""));
  }

  /** Marks all whole lines at once, because most texts have many short lines. @returns index after the last whole line */
  #markPlain(text: string, from: number, out: string[]): number {
    const end = text.lastIndexOf("\n") + 1;
    if (end <= from) return from;
    const lines = text.slice(from, end - 1).split("\n");
    out.push(this.#mark, lines.join(`\n${this.#mark}`), "\n");
    return end;
  }

  /** @returns index of the next line, which is after an LF whose CR was the end of the earlier text */
  #finishCrLf(text: string, out: string[]): number {
    const lastCr = this.#lastCr;
    this.#lastCr = "none";
    if (lastCr === "none" || !text.startsWith("\n")) return 0;
    if (lastCr === "blank") this.#endLine(out, "\r\n");
    return 1;
  }

  #hold(text: string): void {
    if (text === "") return;
    this.#held.push(text);
    this.#heldLength += text.length;
  }

  /** @returns whether the line prints any text */
  #endLine(out: string[], end: string): boolean {
    const isEmpty = this.#heldLength === 0 && this.#line !== "begun";
    const isShown = !isEmpty || (end !== "\r" && this.#line === "new");
    if (isShown) {
      this.#printHeld(out);
      out.push("\n");
    }
    if (isShown || end !== "\r") this.#line = "new";
    return isShown;
  }

  #printHeld(out: string[]): void {
    if (this.#line !== "begun") out.push(this.#mark);
    out.push(this.#held.join(""));
    this.#held = [];
    this.#heldLength = 0;
    this.#line = "begun";
  }

  /** Breaks another job's unended line if there is something to print. */
  #take(text: string): string {
    if (text === "") return "";
    const { holder } = this.#turn;
    this.#turn.holder = this.#line === "begun" ? this : undefined;
    return holder === undefined || holder === this ? text : `${holder.#break()}${text}`;
  }

  #break(): string {
    this.#line = "broken";
    return "\n";
  }
}
