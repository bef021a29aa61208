import readline from "node:readline";
import type { Readable, Writable } from "node:stream";
import type {
  Greeting,
  GreetTask,
  Hold,
  LockKind,
  PeerProcess,
  RaceResult,
  RaceTask,
} from "./peer-process.js";

/** Request on the standard input of the second process, as one JSON line. */
export interface PeerRequest {
  readonly id: number;
  readonly do: keyof PeerProcess;
  readonly task?: unknown;
}
/** Reply on the standard output of the second process, as one JSON line. Other lines come from the shell of the host. */
export type PeerReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly code?: string } };

/** Peer in the second process, on this host or another one. */
export class RemotePeer implements PeerProcess {
  readonly #to: Writable;
  readonly #waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  #last = 0;
  #gone: Error | undefined;

  /** @param lost resolves when the second process has ended. All open and later requests reject with its value */
  constructor(to: Writable, from: Readable, lost: Promise<Error>) {
    this.#to = to;
    to.on("error", () => undefined); // the second process has ended then, and `lost` reports that
    readline.createInterface({ input: from }).on("line", (line) => this.#receive(line));
    void lost.then((error) => {
      this.#gone = error;
      for (const { reject } of this.#waiting.values()) reject(error);
    });
  }

  #receive(line: string): void {
    const answer = readReply(line);
    const asked = answer && this.#waiting.get(answer.id);
    if (answer === undefined || asked === undefined) return;
    this.#waiting.delete(answer.id);
    if ("value" in answer) asked.resolve(answer.value as never);
    else asked.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
  }

  #ask<T>(what: keyof PeerProcess, task?: unknown): Promise<T> {
    const answer = this.#send<T>(what, task);
    answer.catch(() => undefined); // the caller may await the answer later, after work of its own
    return answer;
  }

  #send<T>(what: keyof PeerProcess, task: unknown): Promise<T> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const id = ++this.#last;
    const request: PeerRequest = { id, do: what, task };
    this.#to.write(`${JSON.stringify(request)}\n`);
    return new Promise<T>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  greet(task: GreetTask): Promise<Greeting> {
    return this.#ask("greet", task);
  }
  clock(): Promise<number> {
    return this.#ask("clock");
  }
  create(task: RaceTask): Promise<RaceResult> {
    return this.#ask("create", task);
  }
  rename(task: RaceTask & { who: string }): Promise<RaceResult> {
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

function readReply(line: string): PeerReply | undefined {
  if (!line.startsWith('{"id":')) return undefined;
  try {
    return JSON.parse(line) as PeerReply;
  } catch {
    return undefined;
  }
}
