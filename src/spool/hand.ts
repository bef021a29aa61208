import os from "node:os";
import type { Layout } from "../project/layout.js";
import { hostName } from "./identity.js";
import { Ledger, type LedgerEvent } from "./ledger.js";
import type { Store } from "./store.js";

/** Who asks for something: `user@host`. */
export function whoAmI(): string {
  let user: string;
  try {
    user = os.userInfo().username;
  } catch {
    user = String(process.getuid?.() ?? "somebody"); // an id without an account
  }
  return `${user}@${hostName()}`;
}

/** Notes what a person did by a command. All commands of one user on one host write to one ledger. */
export async function noteByHand(
  store: Store,
  layout: Layout,
  flush: boolean,
  events: readonly LedgerEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const ledger = await Ledger.open(store, layout.ledgerOf(whoAmI().replace(/[^A-Za-z0-9@._-]/g, "_")), flush);
  try {
    for (const event of events) await ledger.append(event);
  } finally {
    await ledger.close();
  }
}
