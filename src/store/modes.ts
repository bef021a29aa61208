import { type Access, missingBits, modeIn } from "../project/access.js";

/** Modes of the files and directories that a store creates. */
export class Modes {
  readonly #access: Access;
  readonly #missing: number;

  constructor(access: Access) {
    this.#access = access;
    this.#missing = missingBits(access);
  }

  /** @param wanted the mode for a project that is open to everybody */
  of(wanted: number): number {
    return modeIn(this.#access, wanted);
  }

  /** Whether the umask removes bits that the project needs. If so, the store sets the mode with a second call. */
  isCut(wanted: number): boolean {
    return (this.of(wanted) & this.#missing) !== 0;
  }
}
