import type { Layout } from "../project/layout.js";
import { isErrno, type Store } from "./store.js";

/** Where a job goes that is not to run: for good, or until it is released. */
export type Aside = "jobcancelled" | "jobheld";

/**
 * Takes a job that has not begun out of the way, with one rename. `name-taken`: another of its name is held already, and
 * would be lost.
 *
 * @param source where it lies; on a desk, the caller holds its lock
 */
export async function withdraw(
  store: Store,
  layout: Layout,
  source: string,
  file: string,
  to: Aside,
): Promise<"withdrawn" | "gone" | "name-taken"> {
  const destination = to === "jobheld" ? layout.held(file) : layout.ended(to, file);
  if (to === "jobheld" && (await store.has(destination))) return "name-taken";
  try {
    await store.rename(source, destination);
    return "withdrawn";
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return "gone";
    throw error;
  }
}
