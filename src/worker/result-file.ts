import fs from "node:fs";
import path from "node:path";
import { makeDirectory } from "../project/make-directory.js";

/**
 * The job's `logfile`: where its results go. Its directory is made before the run; if the job has not written the file
 * itself when it ends, what it printed is put there.
 */
export class ResultFile {
  readonly path: string;
  readonly #before: fs.Stats | undefined;

  private constructor(file: string, before: fs.Stats | undefined) {
    this.path = file;
    this.#before = before;
  }

  /** @throws Error with a sentence for people when there can be no file of that name */
  static prepare(file: string): ResultFile {
    try {
      const before = fs.statSync(file, { throwIfNoEntry: false });
      if (before?.isDirectory()) throw new Error("it is a directory");
      if (before === undefined) makeDirectory(path.dirname(file));
      return new ResultFile(file, before);
    } catch (error) {
      throw new Error(`fjord: the logfile ${file} cannot be written: ${(error as Error).message}`);
    }
  }

  /** @throws Error with a sentence for people when what the job printed could not be put there */
  complete(attemptLog: string): void {
    try {
      const after = fs.statSync(this.path, { throwIfNoEntry: false });
      if (after !== undefined && !after.isFile()) return;
      if (after !== undefined && !isSame(after, this.#before)) return;
      fs.copyFileSync(attemptLog, this.path);
    } catch (error) {
      throw new Error(`fjord: the logfile ${this.path} was not written: ${(error as Error).message}`);
    }
  }
}

function isSame(after: fs.Stats, before: fs.Stats | undefined): boolean {
  return before?.mtimeMs === after.mtimeMs && before.size === after.size && before.ino === after.ino;
}
