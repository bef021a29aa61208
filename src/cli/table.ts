import { type Colour, paint } from "./colour.js";

/**
 * Makes a table in the style of all commands. The columns are two spaces apart, and there are no lines, and no spaces after the
 * last column.
 *
 * @param colours colour of a cell, by the title of its column
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  colours: Readonly<Record<string, (cell: string) => Colour | undefined>> = {},
): string {
  const widths = head.map((title, i) =>
    rows.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), title.length),
  );
  const line = (row: readonly string[], painted: (cell: string, i: number) => string) => {
    const cells = row.map((cell, i) => painted(cell, i) + " ".repeat((widths[i] ?? 0) - cell.length));
    return `${cells.join("  ").trimEnd()}\n`;
  };
  const body = rows.map((row) => line(row, (cell, i) => paint(cell, colours[head[i] ?? ""]?.(cell))));
  return line(head, (title) => title) + body.join("");
}
