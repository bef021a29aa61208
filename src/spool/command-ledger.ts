import { Ledger } from "../ledger/ledger.js";
import type { LedgerEvent } from "../ledger/line.js";
import type { Site } from "../store/site.js";
import { userAtHost } from "./identity.js";

/** Records in the ledger what a person did with a command. All commands of a user on one host write to the same ledger. */
export async function recordCommand(
  site: Site,
  flush: boolean,
  events: readonly LedgerEvent[],
): Promise<void> {
  const { store, layout } = site;
  if (events.length === 0) return;
  const name = userAtHost().replace(/[^A-Za-z0-9@._-]/g, "_");
  const ledger = await Ledger.open(store, layout.ledgerOf(name), flush);
  try {
    for (const event of events) await ledger.append(event);
  } finally {
    await ledger.close();
  }
}
