import { type Access, missingBits, modeIn } from "../project/access.js";

/** The modes of what a store makes. */
export class Modes {
  readonly #access: Access;
  readonly #missing: number;

  constructor(access: Access) {
    this.#access = access;
    this.#missing = missingBits(access);
  }

  /** @param wanted the mode of what is everybody's */
  of(wanted: number): number {
    return modeIn(this.#access, wanted);
  }

  /** Whether the umask would take bits that are to be there: then the mode is set once more, at the cost of a call. */
  isCut(wanted: number): boolean {
    return (this.of(wanted) & this.#missing) !== 0;
  }
}
