import readline from "node:readline";
import type { Readable, Writable } from "node:stream";
import { errnoOf } from "../store/errno.js";
import type { PeerProcess } from "./peer-process.js";
import type { PeerReply, PeerRequest } from "./remote-peer.js";

/** Answers the requests of a `RemotePeer` until the input ends. */
export async function servePeer(peer: PeerProcess, from: Readable, to: Writable): Promise<void> {
  const running = new Set<Promise<void>>();
  for await (const line of readline.createInterface({ input: from })) {
    const { id, do: what, task } = JSON.parse(line) as PeerRequest;
    const done = answer(peer, what, task).then((result) => {
      to.write(`${JSON.stringify({ id, ...result })}\n`);
      running.delete(done);
    });
    running.add(done);
  }
  await Promise.all(running);
}

async function answer(
  peer: PeerProcess,
  what: keyof PeerProcess,
  task: unknown,
): Promise<Omit<PeerReply, "id">> {
  try {
    // Requests without a result, such as `change`, need a value in JSON too.
    return { value: (await peer[what](task as never)) ?? null };
  } catch (error) {
    const code = errnoOf(error);
    return { error: { message: (error as Error).message, ...(code !== "" && { code }) } };
  }
}
