import { Counts } from "../ledger/counts.js";
import { Ledger } from "../ledger/ledger.js";
import { newActorId } from "../spool/identity.js";
import type { Reclaimer } from "../spool/reclaim.js";
import type { Site } from "../store/site.js";

/**
 * Makes a recruiter's ledger and counts. The ledger's file is made only when the first line is written, because most recruiters
 * write no line.
 */
export function recruiterAt(site: Site): Reclaimer & { close(): Promise<void> } {
  const { store, layout, settings, access } = site;
  let opened: Promise<Ledger> | undefined;
  const ledger: Pick<Ledger, "append"> = {
    append: async (event) => {
      opened ??= Ledger.open(store, layout.ledgerOf(newActorId("r")), settings.flush);
      await (await opened).append(event);
    },
  };
  const close = async () => (await opened)?.close();
  return { store, layout, settings, access, ledger, counts: new Counts(site), close };
}
