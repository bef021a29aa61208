/** An ISO 8601 time as people read it: `2026-11-21 09:30:05Z`. */
export function clock(iso: string): string {
  return iso.replace("T", " ").replace(/\.\d+Z$/, "Z");
}
