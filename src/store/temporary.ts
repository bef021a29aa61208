import crypto from "node:crypto";
import { entryIn } from "../project/layout.js";

/** Names that `temporaryIn` makes, with a UUID of version 4. */
const TEMPORARY = /^\.[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.tmp$/;

/**
 * Path for a temporary hidden file, which is renamed or removed soon. If the process that made the file is killed, the dispatcher
 * removes the file from the queue a day later (`spool/abandoned-files.ts`).
 */
export function temporaryIn(dir: string): string {
  return entryIn(dir, `.${crypto.randomUUID()}.tmp`);
}

export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}
