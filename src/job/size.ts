const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;
const SIZE = /^(\d+(?:\.\d+)?|\.\d+)\s*([kmgtp]?)(i?)b?$/i;

/** Writes bytes for people, in powers of 1000: `512 B`, `3.4 MB`, `120 GB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.round(value) >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/**
 * Reads a size as people write it: `512`, `3.4MB`, `2G` (powers of 1000), `1.5GiB` (powers of 1024).
 *
 * @returns bytes; undefined for any other text
 */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text.trim());
  if (match === null) return undefined;
  const [, amount, prefix = "", binary] = match;
  if (binary !== "" && prefix === "") return undefined;
  const power = prefix === "" ? 0 : "kmgtp".indexOf(prefix.toLowerCase()) + 1;
  return Math.round(Number(amount) * (binary === "" ? 1000 : 1024) ** power);
}
