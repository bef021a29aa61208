/** Number of elements that are compared with one another. Comparing a million elements would take seconds. */
export const COMPARED = 1000;

/** The first `COMPARED` numbers. */
export function firstOf(numbers: Iterable<number>): number[] {
  const first: number[] = [];
  for (const number of numbers) {
    if (first.push(number) >= COMPARED) break;
  }
  return first;
}

/** Whether no two numbers have the same text. */
export function areDiffering(numbers: readonly number[], textOf: (number: number) => string): boolean {
  return new Set(numbers.map(textOf)).size === numbers.length;
}
