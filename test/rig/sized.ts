/**
 * A value for `npm test`, and another one for `npm run test:deep`: the size of a random sample, or a list of cases. A
 * test file that uses this function runs in both, so `.mocharc.deep.json` must name the file.
 */
export function sized<T>(small: T, deep: T): T {
  return process.env.FJORD_TEST_DEEP === undefined ? small : deep;
}
