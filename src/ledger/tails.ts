/**
 * Numbers of bytes at the end of a worker's ledger, the small one first. The large one contains the lines about all jobs that the
 * worker claimed last, even if each of them has a result of 64 KiB.
 */
export const LAST_CLAIMED: readonly number[] = [256 * 1024, 4 * 1024 * 1024];

/**
 * Reads the end of a ledger in growing pieces. The caller stops when it has found its lines.
 *
 * @param read reads so many bytes at the end, or the whole ledger if it is shorter
 * @param sizes numbers of bytes, the small ones first
 */
export async function* tails(
  read: (size: number) => Promise<string>,
  sizes: readonly number[],
): AsyncGenerator<string, void> {
  for (const size of sizes) {
    const text = await read(size);
    yield text;
    if (Buffer.byteLength(text) < size) return; // the whole ledger was read
  }
}
