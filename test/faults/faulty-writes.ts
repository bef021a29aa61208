import fs from "node:fs";
import os from "node:os";

/**
 * This module is loaded before the code of a program (`node --import`). The n-th write to a file below a directory, or
 * the n-th close of such a file, fails, and so do some calls after it. `FJORD_TEST_FAULTY_WRITES` holds the orders as
 * JSON: `root`; `call`, which is `write` or `close`; `n`, from 1; `count`; `how`, which is an errno, or `half` for a
 * write that takes half of the data; `log`, a file that gets a line `HOW|well PATH` for each of these calls.
 */
export interface Orders {
  readonly root: string;
  readonly call: "write" | "close";
  readonly n: number;
  readonly count: number;
  readonly how: string;
  readonly log: string;
}

type Bytes = NodeJS.ArrayBufferView;
type Numbers = (number | undefined)[];

const said = process.env.FJORD_TEST_FAULTY_WRITES;
if (said !== undefined) await obey(JSON.parse(said) as Orders);

async function obey({ root, call, n, count, how, log }: Orders): Promise<void> {
  const { writeSync, closeSync } = fs;
  const logFile = fs.openSync(log, "a");
  let calls = 0;

  /** Whether this call fails. */
  const isFaulty = (of: Orders["call"], fd: number): boolean => {
    const file = of === call ? fs.readlinkSync(`/proc/self/fd/${fd}`) : "";
    if (!file.startsWith(`${root}/`) || (of === "close" && !isForWriting(fd))) return false;
    calls++;
    const isHit = calls >= n && calls < n + count;
    writeSync(logFile, `${isHit ? how : "well"} ${file}\n`);
    return isHit;
  };
  const refuse = (code: string) => {
    throw Object.assign(new Error(`${code}: ${how}, ${call}`), { code, errno: -(numberOf(how) ?? 0) });
  };
  // Node's numbers, because libuv has no name for some.
  const refuseSync = () => refuse(how === "ESTALE" ? "UNKNOWN" : how);
  const refuseLater = () => refuse(how === "ESTALE" ? `Unknown system error -${numberOf(how)}` : how);
  /** Number of bytes that a write takes. */
  const taken = (fd: number, length: number, refuse: () => void): number => {
    if (length < 2 || !isFaulty("write", fd)) return length;
    if (how !== "half") refuse();
    return length >> 1;
  };

  fs.writeSync = ((fd: number, data: string | Bytes, ...rest: unknown[]): number => {
    const bytes = typeof data === "string" ? Buffer.from(data, rest[1] as BufferEncoding | undefined) : data;
    const [position] = rest as (number | null | undefined)[];
    if (typeof data === "string") {
      return writeSync(fd, bytes, 0, taken(fd, bytes.byteLength, refuseSync), position);
    }
    const [offset = 0, length = bytes.byteLength - offset, at] = rest as Numbers;
    return writeSync(fd, bytes, offset, taken(fd, length, refuseSync), at);
  }) as typeof fs.writeSync;
  fs.closeSync = (fd) => {
    const isToFail = isFaulty("close", fd);
    closeSync(fd);
    if (isToFail) refuseSync();
  };

  const handle = await fs.promises.open(log);
  const { close } = handle;
  const write = handle.write as (bytes: Uint8Array, ...rest: Numbers) => Promise<unknown>;
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  prototype.write = async function (this: fs.promises.FileHandle, bytes: Uint8Array, ...rest: Numbers) {
    const [offset = 0, length = bytes.byteLength - offset, at] = rest;
    return write.call(this, bytes, offset, taken(this.fd, length, refuseLater), at);
  };
  prototype.close = async function (this: fs.promises.FileHandle) {
    const isToFail = this.fd >= 0 && isFaulty("close", this.fd);
    await close.call(this);
    if (isToFail) refuseLater();
  };
}

function numberOf(name: string): number | undefined {
  return (os.constants.errno as Readonly<Record<string, number>>)[name];
}

function isForWriting(fd: number): boolean {
  const info = fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
  const flags = Number.parseInt(/flags:\s*(\d+)/.exec(info)?.[1] ?? "0", 8);
  return (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0;
}
