import { NetworkStore } from "../store/network-store.js";
import type { Store } from "../store/store.js";
import { type LedgerLine, parseLedger } from "./line.js";

/** Number of bytes to read at once. */
const PIECE = 1 << 18;
/**
 * Length in bytes of the longest line that is read. A longer line is skipped, like a line that was cut off. fjord's own lines are
 * at most a tenth as long.
 */
const LONGEST_LINE = 1 << 22;

/** Reads a ledger as it grows. Each call of `read` returns the whole lines that were appended since the last call. */
export class LedgerReader {
  readonly #store: Pick<Store, "readFrom">;
  readonly #path: string;
  #offset = 0;
  /** Pieces of a line whose end has not been read. They are joined only once, when the end has been read. */
  #rest: Buffer[] = [];
  #restLength = 0;
  #isTooLong = false;

  /**
   * @param offset position in bytes at which the first call begins
   * @param store reads the file; by default through the thread pool, because the file may lie on any file system
   */
  constructor(path: string, offset = 0, store: Pick<Store, "readFrom"> = new NetworkStore()) {
    this.#store = store;
    this.#path = path;
    this.#offset = offset;
  }

  async *read(): AsyncGenerator<LedgerLine> {
    for (;;) {
      const piece = await this.#store.readFrom(this.#path, this.#offset, PIECE);
      this.#offset += piece.length;
      yield* parseLedger(this.#wholeLines(piece));
      if (piece.length < PIECE) return;
    }
  }

  /** The lines that end in a piece of the file. */
  #wholeLines(piece: Buffer): string {
    const end = piece.lastIndexOf(0x0a) + 1;
    if (end === 0) {
      this.#keep(piece);
      return "";
    }
    const begin = this.#isTooLong ? piece.indexOf(0x0a) + 1 : 0;
    const text = Buffer.concat([...this.#rest, piece.subarray(begin, end)]).toString("utf8");
    this.#rest = [];
    this.#restLength = 0;
    this.#isTooLong = false;
    this.#keep(Buffer.from(piece.subarray(end))); // a copy, because a view would keep the whole piece in memory
    return text;
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0 || this.#isTooLong) return;
    this.#rest.push(piece);
    this.#restLength += piece.length;
    this.#isTooLong = this.#restLength > LONGEST_LINE;
    if (this.#isTooLong) this.#rest = [];
  }
}
