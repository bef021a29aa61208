import fs from "node:fs";
import { systemClock } from "./clock.js";
import { factsOf } from "./file-facts.js";
import { Modes } from "./modes.js";
import { APPEND_FLAGS, OVERWRITE_FLAGS, READ_FLAGS, WRITE_FLAGS } from "./open-flags.js";
import {
  type Appender,
  AT_ONCE,
  type FileFacts,
  type FileReading,
  LONG,
  PIECE,
  type Soon,
  type Store,
} from "./store.js";
import { writeAllSync } from "./write-all.js";

/**
 * Store on a local file system. Its methods make synchronous calls. Such a call takes a few microseconds, and a call through
 * libuv's thread pool takes ten times as long. The calls that the daemons make for each job return their values at once.
 */
export class LocalStore implements Store {
  readonly kind = "local";
  readonly long = LONG;
  readonly rings = true;
  readonly clock = systemClock;
  /** This is not a private field, because tests wrap the store in a Proxy, and a Proxy cannot reach private fields. */
  private readonly modes: Modes;

  /** @param modes of new files and directories; by default those that the umask leaves */
  constructor(modes = new Modes("open")) {
    this.modes = modes;
  }

  async list(dir: string): Promise<string[]> {
    return fs.readdirSync(dir);
  }
  async *pieces(dir: string): AsyncGenerator<string[], void> {
    const open = fs.opendirSync(dir, { bufferSize: AT_ONCE });
    try {
      let piece: string[] = [];
      for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
        if (piece.push(entry.name) < PIECE) continue;
        yield piece;
        piece = [];
      }
      yield piece;
    } finally {
      open.closeSync();
    }
  }
  read(path: string, limit: number): Soon<FileReading> {
    try {
      return readNow(path, limit);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  facts(path: string): Soon<FileFacts> {
    try {
      return factsOf(fs.lstatSync(path));
    } catch (error) {
      return Promise.reject(error);
    }
  }
  async has(path: string): Promise<boolean> {
    return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
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
  async readFrom(path: string, offset: number, limit: number): Promise<Buffer> {
    const fd = fs.openSync(path, "r");
    try {
      const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(limit, fs.fstatSync(fd).size - offset)));
      return buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, offset));
    } finally {
      fs.closeSync(fd);
    }
  }
  async create(path: string, content: string | Uint8Array, flush: boolean, mode = 0o666): Promise<void> {
    const fd = fs.openSync(path, "wx", this.modes.of(mode));
    let isOpen = true;
    try {
      if (this.modes.isCut(mode)) fs.fchmodSync(fd, this.modes.of(mode));
      if (content.length > 0) fs.writeFileSync(fd, content);
      if (flush) fs.fsyncSync(fd);
      isOpen = false;
      fs.closeSync(fd); // the close may report an error of the write
    } catch (error) {
      if (isOpen) quietly(() => fs.closeSync(fd));
      quietly(() => fs.unlinkSync(path));
      throw error;
    }
  }
  async overwrite(path: string, text: string): Promise<void> {
    const fd = fs.openSync(path, OVERWRITE_FLAGS);
    try {
      const size = fs.fstatSync(fd).size;
      const bytes = Buffer.alloc(size, "\n");
      bytes.write(text);
      writeAllSync(fd, path, bytes, 0);
    } finally {
      fs.closeSync(fd);
    }
  }
  async write(path: string, text: string): Promise<void> {
    // The file is truncated after the write. If it were truncated to length 0 before, ext4 would flush it at once and delay the
    // close (auto_da_alloc, ext4(5)).
    const fd = openWith(this.modes, path, WRITE_FLAGS);
    try {
      const bytes = Buffer.from(text);
      writeAllSync(fd, path, bytes, 0);
      fs.ftruncateSync(fd, bytes.length);
    } finally {
      fs.closeSync(fd);
    }
  }
  async link(existing: string, path: string): Promise<void> {
    fs.linkSync(existing, path);
  }
  async appender(path: string): Promise<Appender> {
    const fd = openWith(this.modes, path, APPEND_FLAGS);
    return {
      append: async (text) => writeAllSync(fd, path, Buffer.from(text), null),
      flush: async () => fs.fsyncSync(fd),
      close: async () => fs.closeSync(fd),
    };
  }
  rename(from: string, to: string): Soon<void> {
    try {
      fs.renameSync(from, to);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  async unlink(path: string): Promise<void> {
    fs.unlinkSync(path);
  }
  async mkdir(path: string, recursive = false): Promise<void> {
    fs.mkdirSync(path, { recursive, mode: this.modes.of(0o777) });
    if (this.modes.isCut(0o777)) addBits(path, this.modes.of(0o777));
  }
  async rmdir(path: string): Promise<void> {
    fs.rmdirSync(path);
  }
  /** This call is asynchronous, because removing a large tree takes long and the heartbeat must go on meanwhile. */
  removeTree(path: string): Promise<void> {
    return fs.promises.rm(path, { recursive: true, force: true });
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

function readNow(path: string, limit: number): FileReading {
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
    return { bytes: length === buffer.length ? buffer : buffer.subarray(0, length), facts };
  } finally {
    fs.closeSync(fd);
  }
}

/** Cleans up and ignores errors, so that the caller can throw the first error. */
function quietly(clearUp: () => void): void {
  try {
    clearUp();
  } catch {
    // the first error is more useful than this one
  }
}

/** Adds mode bits. The other bits stay, because a directory inherits setgid. */
function addBits(directory: string, bits: number): void {
  const { uid, mode } = fs.lstatSync(directory);
  if (uid === process.getuid?.()) fs.chmodSync(directory, (mode | bits) & 0o7777);
}

/** Opens a file. A file that is created gets the modes of the project. */
function openWith(modes: Modes, path: string, flags: number): number {
  const fd = fs.openSync(path, flags, modes.of(0o666));
  if (modes.isCut(0o666)) {
    const { uid, mode } = fs.fstatSync(fd);
    const wanted = mode | modes.of(0o666);
    if (uid === process.getuid?.() && wanted !== mode) fs.fchmodSync(fd, wanted & 0o7777);
  }
  return fd;
}
