import crypto from "node:crypto";
import path from "node:path";

/** A UUID of version 4. */
const TEMPORARY = /^\.[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.tmp$/;

/** A name for what has no name of a job yet, or goes as soon as it was made. In the queue it is cleared up, if its maker was killed. */
export function temporaryIn(dir: string): string {
  return path.join(dir, `.${crypto.randomUUID()}.tmp`);
}

export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}
