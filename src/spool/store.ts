import fs from "node:fs";
import type { FileHandle } from "node:fs/promises";

/** What a read tells about a file besides its bytes. Times in ms since 1970, by the store's clock. */
export interface FileFacts {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly mode: number;
  readonly uid: number;
  readonly kind: "file" | "directory" | "symlink" | "other";
}

/** An open append-only file. `append` is one write(2); it throws when not all bytes were taken. */
export interface Appender {
  append(text: string): Promise<void>;
  /** To the disk or the server (fsync). */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The file system as the protocol uses it: every call of S1–S10 goes through here, so that a network file
 * system's stalls do not block the event loop, and a test can stand in for the disk.
 *
 * Contract: each method is one system call or a short fixed series (named in its line), throws Node's
 * `ErrnoException`s untouched, retries nothing.
 */
export interface Store {
  /** Whether other hosts see this file system too; then no watch event comes from them and caches lie. */
  readonly kind: "local" | "network";
  /** Names, in the file system's order. */
  list(dir: string): Promise<string[]>;
  /** open, fstat, read, close; never follows a symlink (ELOOP) and never hangs on a FIFO. At most `limit` bytes. */
  read(path: string, limit: number): Promise<{ bytes: Buffer; facts: FileFacts }>;
  facts(path: string): Promise<FileFacts>;
  /** open, fstat, read, close: the last `limit` bytes of a file, as UTF-8. */
  tail(path: string, limit: number): Promise<string>;
  /** open O_EXCL, write, (fsync,) close; EEXIST when there. Nothing half-written is left behind on an error. */
  create(path: string, content: string | Uint8Array, flush: boolean, mode?: number): Promise<void>;
  /** Writes over an existing file without making it longer or shorter: works on a full disk. */
  overwrite(path: string, text: string): Promise<void>;
  /** open O_TRUNC, write, close: for what nobody decides by; a reader may meet half of it. */
  write(path: string, text: string): Promise<void>;
  appender(path: string): Promise<Appender>;
  /** A second name for a file; EEXIST when there. */
  link(existing: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  mkdir(path: string, recursive?: boolean): Promise<void>;
  rmdir(path: string): Promise<void>;
  /** Sets the modification time, ms since 1970. */
  touch(path: string, mtimeMs: number): Promise<void>;
  /** fsync of a directory: makes the names in it durable. */
  flushDirectory(path: string): Promise<void>;
}

/** Whether an error is one of these errno names. */
export function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? "");
}

/** The store has no room: a condition that passes, nobody's fault, and no reason to lose anything. */
export function isFull(error: unknown): boolean {
  return isErrno(error, "ENOSPC", "EDQUOT");
}

const READ_FLAGS = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

function factsOf(stat: fs.Stats): FileFacts {
  const kind = stat.isFile()
    ? "file"
    : stat.isDirectory()
      ? "directory"
      : stat.isSymbolicLink()
        ? "symlink"
        : "other";
  return {
    ino: stat.ino,
    size: stat.size,
    mtimeMs: stat.mtimeMs,
    ctimeMs: stat.ctimeMs,
    mode: stat.mode,
    uid: stat.uid,
    kind,
  };
}

function shortWrite(path: string): Error {
  return Object.assign(new Error(`short write: ${path}`), { code: "ENOSPC" });
}

/**
 * A local file system: synchronous calls behind the asynchronous port. A local call takes a few microseconds,
 * a trip through libuv's thread pool ten times that.
 */
class LocalStore implements Store {
  readonly kind = "local";
  async list(dir: string): Promise<string[]> {
    return fs.readdirSync(dir);
  }
  async read(path: string, limit: number): Promise<{ bytes: Buffer; facts: FileFacts }> {
    const fd = fs.openSync(path, READ_FLAGS);
    try {
      const facts = factsOf(fs.fstatSync(fd));
      if (facts.kind !== "file") return { bytes: Buffer.alloc(0), facts };
      const buffer = Buffer.allocUnsafe(Math.min(limit, facts.size));
      let length = 0;
      while (length < buffer.length) {
        const n = fs.readSync(fd, buffer, length, buffer.length - length, length);
        if (n === 0) break;
        length += n;
      }
      return { bytes: buffer.subarray(0, length), facts };
    } finally {
      fs.closeSync(fd);
    }
  }
  async facts(path: string): Promise<FileFacts> {
    return factsOf(fs.lstatSync(path));
  }
  async tail(path: string, limit: number): Promise<string> {
    const fd = fs.openSync(path, READ_FLAGS);
    try {
      const { size } = fs.fstatSync(fd);
      const buffer = Buffer.allocUnsafe(Math.min(limit, size));
      return buffer.toString("utf8", 0, fs.readSync(fd, buffer, 0, buffer.length, size - buffer.length));
    } finally {
      fs.closeSync(fd);
    }
  }
  async create(path: string, content: string | Uint8Array, flush: boolean, mode = 0o666): Promise<void> {
    const fd = fs.openSync(path, "wx", mode);
    try {
      if (content.length > 0) fs.writeFileSync(fd, content);
      if (flush) fs.fsyncSync(fd);
    } catch (error) {
      fs.unlinkSync(path);
      throw error;
    } finally {
      fs.closeSync(fd);
    }
  }
  async overwrite(path: string, text: string): Promise<void> {
    const fd = fs.openSync(path, "r+");
    try {
      const size = fs.fstatSync(fd).size;
      const bytes = Buffer.alloc(size, "\n");
      bytes.write(text);
      fs.writeSync(fd, bytes, 0, size, 0);
    } finally {
      fs.closeSync(fd);
    }
  }
  async write(path: string, text: string): Promise<void> {
    fs.writeFileSync(path, text);
  }
  async link(existing: string, path: string): Promise<void> {
    fs.linkSync(existing, path);
  }
  async appender(path: string): Promise<Appender> {
    const fd = fs.openSync(path, "a", 0o666);
    return {
      append: async (text) => {
        if (fs.writeSync(fd, text) !== Buffer.byteLength(text)) throw shortWrite(path);
      },
      flush: async () => fs.fsyncSync(fd),
      close: async () => fs.closeSync(fd),
    };
  }
  async rename(from: string, to: string): Promise<void> {
    fs.renameSync(from, to);
  }
  async unlink(path: string): Promise<void> {
    fs.unlinkSync(path);
  }
  async mkdir(path: string, recursive = false): Promise<void> {
    fs.mkdirSync(path, { recursive });
  }
  async rmdir(path: string): Promise<void> {
    fs.rmdirSync(path);
  }
  async touch(path: string, mtimeMs: number): Promise<void> {
    fs.utimesSync(path, mtimeMs / 1000, mtimeMs / 1000);
  }
  async flushDirectory(path: string): Promise<void> {
    const fd = fs.openSync(path, "r");
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }
}

/** A file system that may stall for minutes (NFS, SMB, FUSE …): every call goes through the thread pool. */
class NetworkStore implements Store {
  readonly kind = "network";
  list(dir: string): Promise<string[]> {
    return fs.promises.readdir(dir);
  }
  async read(path: string, limit: number): Promise<{ bytes: Buffer; facts: FileFacts }> {
    const handle = await fs.promises.open(path, READ_FLAGS);
    try {
      const facts = factsOf(await handle.stat());
      if (facts.kind !== "file") return { bytes: Buffer.alloc(0), facts };
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.min(limit, facts.size)));
      return { bytes: buffer.subarray(0, bytesRead), facts };
    } finally {
      await handle.close();
    }
  }
  async facts(path: string): Promise<FileFacts> {
    return factsOf(await fs.promises.lstat(path));
  }
  async tail(path: string, limit: number): Promise<string> {
    const handle = await fs.promises.open(path, READ_FLAGS);
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.allocUnsafe(Math.min(limit, size));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await handle.close();
    }
  }
  async create(path: string, content: string | Uint8Array, flush: boolean, mode = 0o666): Promise<void> {
    const handle = await fs.promises.open(path, "wx", mode);
    try {
      if (content.length > 0) await handle.writeFile(content);
      if (flush) await handle.sync();
      await handle.close(); // NFS reports a write's error here
    } catch (error) {
      await handle.close().catch(() => undefined);
      await fs.promises.unlink(path);
      throw error;
    }
  }
  async overwrite(path: string, text: string): Promise<void> {
    const handle = await fs.promises.open(path, "r+");
    try {
      const bytes = Buffer.alloc((await handle.stat()).size, "\n");
      bytes.write(text);
      await handle.write(bytes, 0, bytes.length, 0);
    } finally {
      await handle.close();
    }
  }
  write(path: string, text: string): Promise<void> {
    return fs.promises.writeFile(path, text);
  }
  link(existing: string, path: string): Promise<void> {
    return fs.promises.link(existing, path);
  }
  async appender(path: string): Promise<Appender> {
    const handle: FileHandle = await fs.promises.open(path, "a", 0o666);
    return {
      append: async (text) => {
        const { bytesWritten } = await handle.write(text);
        if (bytesWritten !== Buffer.byteLength(text)) throw shortWrite(path);
      },
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
    await fs.promises.mkdir(path, { recursive });
  }
  rmdir(path: string): Promise<void> {
    return fs.promises.rmdir(path);
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

/**
 * Magic numbers of file systems whose other clients' changes ring no bell here (statfs(2), linux/magic.h, and
 * the projects' own headers for Lustre, GPFS and BeeGFS).
 */
const NETWORK_MAGIC = new Map<number, string>([
  [0x6969, "nfs"],
  [0xff534d42, "cifs"],
  [0xfe534d42, "smb2"],
  [0x517b, "smb"],
  [0x65735546, "fuse"],
  [0x01021997, "9p"],
  [0x0bd00bd0, "lustre"],
  [0x47504653, "gpfs"],
  [0x19830326, "beegfs"],
  [0x00c36400, "ceph"],
  [0x5346414f, "afs"],
  [0x6b414653, "afs"],
  [0x73757245, "coda"],
  [0x7461636f, "ocfs2"],
  [0x01161970, "gfs2"],
  [0xaad7aaea, "panfs"],
]);

/** The store for a directory: what its file system is decides, or the project's settings (`store = …`). */
export function openStore(dir: string, kind: "auto" | "local" | "network"): Store {
  const seen = NETWORK_MAGIC.has(fs.statfsSync(dir).type >>> 0) ? "network" : "local";
  return (kind === "auto" ? seen : kind) === "network" ? new NetworkStore() : new LocalStore();
}
