/** Section whose entries all other sections inherit. */
export const DEFAULT = "DEFAULT";

/**
 * Sections of an ini file, or the reason why there are none. The dialect is that of Python's `configparser.RawConfigParser()`.
 * People and fjd write job files in it.
 */
export type IniReading =
  | { readonly ok: true; readonly sections: ReadonlyMap<string, IniSection>; readonly defaults: IniSection }
  | ({ readonly ok: false } & IniProblem);

/** Reason why a text is not ini. `problem` tells a person what was found and what to write instead. */
export interface IniProblem {
  /** Line number, from 1. */
  readonly line: number;
  readonly section?: string;
  readonly key?: string;
  readonly problem: string;
}

export interface IniEntry {
  /** Undefined for a key without a delimiter. Only a section that is not read in strict mode can have such a key. */
  readonly value: string | undefined;
  readonly line: number;
  /** Whether the entry comes from `[DEFAULT]`. */
  readonly inherited: boolean;
}

/** One section. Keys are in lower case. `[DEFAULT]` is looked up on demand, so that a large one costs nothing. */
export class IniSection {
  readonly name: string;
  /** Line of its first header; 0 for a `[DEFAULT]` that the file does not have. */
  readonly line: number;
  /** The section's own entries, without those of `[DEFAULT]`, in the order of the file. */
  readonly own: ReadonlyMap<string, IniEntry>;
  readonly #defaults: ReadonlyMap<string, IniEntry> | undefined;

  constructor(
    name: string,
    line: number,
    own: ReadonlyMap<string, IniEntry>,
    defaults?: ReadonlyMap<string, IniEntry>,
  ) {
    this.name = name;
    this.line = line;
    this.own = own;
    this.#defaults = defaults;
  }

  /** Returns the section's own entry, or else the entry in `[DEFAULT]`. */
  entry(key: string): IniEntry | undefined {
    const own = this.own.get(key);
    if (own !== undefined) return own;
    const inherited = this.#defaults?.get(key);
    return inherited && { ...inherited, inherited: true };
  }

  get(key: string): string | undefined {
    return (this.own.get(key) ?? this.#defaults?.get(key))?.value;
  }

  /** Keys and values: first the section's own, then those of `[DEFAULT]`. Keys without a value are left out. */
  *[Symbol.iterator](): Generator<[key: string, value: string]> {
    for (const [key, { value }] of this.own) if (value !== undefined) yield [key, value];
    for (const [key, { value }] of this.#defaults ?? []) {
      if (value !== undefined && !this.own.has(key)) yield [key, value];
    }
  }
}
