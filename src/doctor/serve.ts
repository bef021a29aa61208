import readline from "node:readline";
import type { Readable, Writable } from "node:stream";
import { errnoOf } from "../spool/errno.js";
import type { Party } from "./party.js";
import type { Answer, Question } from "./there.js";

/** The other side of `There`: does what it is asked, until its input ends. */
export async function serve(party: Party, from: Readable, to: Writable): Promise<void> {
  const under = new Set<Promise<void>>();
  for await (const line of readline.createInterface({ input: from })) {
    const { id, do: what, task } = JSON.parse(line) as Question;
    const done = answer(party, what, task).then((said) => {
      to.write(`${JSON.stringify({ id, ...said })}\n`);
      under.delete(done);
    });
    under.add(done);
  }
  await Promise.all(under);
}

async function answer(party: Party, what: keyof Party, task: unknown): Promise<Omit<Answer, "id">> {
  try {
    // A question without an answer, such as `change`, has a value for its answer all the same.
    return { value: (await party[what](task as never)) ?? null };
  } catch (error) {
    const code = errnoOf(error);
    return { error: { message: (error as Error).message, ...(code !== "" && { code }) } };
  }
}
