import fs from "node:fs";

/** Values that are not UTF-8, by the names of their variables. Node cannot pass such values to a child process. */
export type ForeignValues = ReadonlyMap<string, Buffer>;

/**
 * Finds the bytes of the values that Node could not decode. The system must show the initial environment of the process.
 *
 * @param environment the environment for the workers. A value with U+FFFD is searched for in the initial environment
 */
export function foreignValues(environment: NodeJS.ProcessEnv): ForeignValues {
  const lost = Object.entries(environment).filter(([, value]) => value?.includes("\uFFFD"));
  const initial = lost.length === 0 ? new Map<string, Buffer>() : initialEnvironment();
  const found = lost.flatMap(([name, value]): [string, Buffer][] => {
    const bytes = initial.get(name);
    return bytes?.toString() === value && bytes !== undefined ? [[name, bytes]] : [];
  });
  return new Map(found);
}

/** Reads /proc/self/environ (proc(5)). If a name occurs twice, the first entry counts, as in getenv(3). */
function initialEnvironment(): Map<string, Buffer> {
  const environment = new Map<string, Buffer>();
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync("/proc/self/environ");
  } catch {
    return environment;
  }
  for (let at = 0, end = 0; at < bytes.length; at = end + 1) {
    end = bytes.indexOf(0, at);
    if (end < 0) end = bytes.length;
    const sign = bytes.indexOf("=", at);
    const name = bytes.toString("utf8", at, Math.max(at, sign));
    if (sign > at && sign < end && !environment.has(name))
      environment.set(name, bytes.subarray(sign + 1, end));
  }
  return environment;
}
