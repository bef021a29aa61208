import readline from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Greeting, GreetTask, Hold, LockKind, Party, RaceTask, Run } from "./party.js";

/** JSON lines on the other process's standard input and output. A line that is none of these is somebody's greeting. */
export interface Question {
  readonly id: number;
  readonly do: keyof Party;
  readonly task?: unknown;
}
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly code?: string } };

/** A party in another process, here or on another host. */
export class There implements Party {
  readonly #to: Writable;
  readonly #waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  #last = 0;
  #gone: Error | undefined;

  /** @param lost what to reject with, once it has gone */
  constructor(to: Writable, from: Readable, lost: Promise<Error>) {
    this.#to = to;
    to.on("error", () => undefined); // then it goes, too
    readline.createInterface({ input: from }).on("line", (line) => this.#hear(line));
    void lost.then((error) => {
      this.#gone = error;
      for (const { reject } of this.#waiting.values()) reject(error);
    });
  }

  #hear(line: string): void {
    const answer = readAnswer(line);
    const asked = answer && this.#waiting.get(answer.id);
    if (answer === undefined || asked === undefined) return;
    this.#waiting.delete(answer.id);
    if ("value" in answer) asked.resolve(answer.value as never);
    else asked.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
  }

  #ask<T>(what: keyof Party, task?: unknown): Promise<T> {
    const answer = this.#answerTo<T>(what, task);
    answer.catch(() => undefined); // whoever asked may be busy with its own part, and hears it then
    return answer;
  }

  #answerTo<T>(what: keyof Party, task: unknown): Promise<T> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const id = ++this.#last;
    const question: Question = { id, do: what, task };
    this.#to.write(`${JSON.stringify(question)}\n`);
    return new Promise<T>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  greet(task: GreetTask): Promise<Greeting> {
    return this.#ask("greet", task);
  }
  clock(): Promise<number> {
    return this.#ask("clock");
  }
  create(task: RaceTask): Promise<Run> {
    return this.#ask("create", task);
  }
  rename(task: RaceTask & { who: string }): Promise<Run> {
    return this.#ask("rename", task);
  }
  replace(task: { file: string; size: number; times: number }): Promise<void> {
    return this.#ask("replace", task);
  }
  hold(task: { kind: LockKind; times: number; at: number }): Promise<Hold[]> {
    return this.#ask("hold", task);
  }
  change(): Promise<void> {
    return this.#ask("change");
  }
  make(file: string): Promise<void> {
    return this.#ask("make", file);
  }
}

function readAnswer(line: string): Answer | undefined {
  if (!line.startsWith('{"id":')) return undefined;
  try {
    return JSON.parse(line) as Answer;
  } catch {
    return undefined;
  }
}
