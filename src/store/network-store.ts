import fs from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { systemClock } from "./clock.js";
import { factsOf, ifThere } from "./file-facts.js";
import { Modes } from "./modes.js";
import { APPEND_FLAGS, OVERWRITE_FLAGS, READ_FLAGS, WRITE_FLAGS } from "./open-flags.js";
import {
  type Appender,
  AT_ONCE,
  type FileFacts,
  type FileReading,
  LONG,
  PIECE,
  type Store,
} from "./store.js";
import { writeAll } from "./write-all.js";

/**
 * Store on a network file system (NFS, SMB, FUSE …). A call may stall for minutes, so every call goes through libuv's thread
 * pool and the event loop goes on.
 */
export class NetworkStore implements Store {
  readonly kind = "network";
  readonly long = LONG;
  readonly rings = false;
  readonly clock = systemClock;
  /** This is not a private field, because tests wrap the store in a Proxy, and a Proxy cannot reach private fields. */
  private readonly modes: Modes;
  private readonly keepsInodes: boolean;

  /**
   * @param modes of new files and directories; by default those that the umask leaves
   * @param keepsInodes whether all clients see the same inode number, also after a rename
   */
  constructor(modes = new Modes("open"), keepsInodes = true) {
    this.modes = modes;
    this.keepsInodes = keepsInodes;
  }

  list(dir: string): Promise<string[]> {
    return fs.promises.readdir(dir);
  }
  async *pieces(dir: string): AsyncGenerator<string[], void> {
    let piece: string[] = [];
    for await (const entry of await fs.promises.opendir(dir, { bufferSize: AT_ONCE })) {
      if (piece.push(entry.name) < PIECE) continue;
      yield piece;
      piece = [];
    }
    yield piece;
  }
  async read(path: string, limit: number): Promise<FileReading> {
    const handle = await fs.promises.open(path, READ_FLAGS);
    try {
      const facts = factsOf(await handle.stat(), this.keepsInodes);
      if (facts.kind !== "file") return { bytes: Buffer.alloc(0), facts };
      return { bytes: await readAll(handle, Math.min(limit, facts.size), 0), facts };
    } finally {
      await handle.close();
    }
  }
  async facts(path: string): Promise<FileFacts> {
    return factsOf(await fs.promises.lstat(path), this.keepsInodes);
  }
  async has(path: string): Promise<boolean> {
    return (await ifThere(fs.promises.lstat(path))) !== undefined;
  }
  async tail(path: string, limit: number): Promise<string> {
    const handle = await fs.promises.open(path, READ_FLAGS);
    try {
      const { size } = await handle.stat();
      const length = Math.min(limit, size);
      return (await readAll(handle, length, size - length)).toString("utf8");
    } finally {
      await handle.close();
    }
  }
  async readFrom(path: string, offset: number, limit: number): Promise<Buffer> {
    const handle = await fs.promises.open(path, "r");
    try {
      const length = Math.max(0, Math.min(limit, (await handle.stat()).size - offset));
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }
  async create(path: string, content: string | Uint8Array, flush: boolean, mode = 0o666): Promise<void> {
    const handle = await fs.promises.open(path, "wx", this.modes.of(mode));
    try {
      if (this.modes.isCut(mode)) await handle.chmod(this.modes.of(mode));
      if (content.length > 0) await handle.writeFile(content);
      if (flush) await handle.sync();
      await handle.close(); // on NFS the close reports an error of the write
    } catch (error) {
      await handle.close().catch(() => undefined);
      await fs.promises.unlink(path).catch(() => undefined);
      throw error;
    }
  }
  async overwrite(path: string, text: string): Promise<void> {
    const handle = await fs.promises.open(path, OVERWRITE_FLAGS);
    try {
      const bytes = Buffer.alloc((await handle.stat()).size, "\n");
      bytes.write(text);
      await writeAll(handle, path, bytes, 0);
    } finally {
      await handle.close();
    }
  }
  async write(path: string, text: string): Promise<void> {
    const handle = await openWith(this.modes, path, WRITE_FLAGS | fs.constants.O_TRUNC);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  }
  link(existing: string, path: string): Promise<void> {
    return fs.promises.link(existing, path);
  }
  async appender(path: string): Promise<Appender> {
    const handle = await openWith(this.modes, path, APPEND_FLAGS);
    return {
      append: (text) => writeAll(handle, path, Buffer.from(text), null),
      flush: () => handle.sync(),
      close: () => handle.close(),
    };
  }
  rename(from: string, to: string): Promise<void> {
    return fs.promises.rename(from, to);
  }
  unlink(path: string): Promise<void> {
    return fs.promises.unlink(path);
  }
  async mkdir(path: string, recursive = false): Promise<void> {
    await fs.promises.mkdir(path, { recursive, mode: this.modes.of(0o777) });
    if (!this.modes.isCut(0o777)) return;
    const { uid, mode } = await fs.promises.lstat(path);
    // Adds mode bits. The other bits stay, because a directory inherits setgid.
    if (uid === process.getuid?.()) await fs.promises.chmod(path, (mode | this.modes.of(0o777)) & 0o7777);
  }
  rmdir(path: string): Promise<void> {
    return fs.promises.rmdir(path);
  }
  removeTree(path: string): Promise<void> {
    return fs.promises.rm(path, { recursive: true, force: true });
  }
  touch(path: string, mtimeMs: number): Promise<void> {
    return fs.promises.utimes(path, mtimeMs / 1000, mtimeMs / 1000);
  }
  async flushDirectory(path: string): Promise<void> {
    const handle = await fs.promises.open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

/** Reads until `length` bytes are there, because one read(2) may return fewer. The result is shorter if the file ends earlier. */
async function readAll(handle: FileHandle, length: number, position: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

/** Opens a file. A file that is created gets the modes of the project. */
async function openWith(modes: Modes, path: string, flags: number): Promise<FileHandle> {
  const handle = await fs.promises.open(path, flags, modes.of(0o666));
  if (!modes.isCut(0o666)) return handle;
  const { uid, mode } = await handle.stat();
  const wanted = mode | modes.of(0o666);
  if (uid === process.getuid?.() && wanted !== mode) await handle.chmod(wanted & 0o7777);
  return handle;
}
