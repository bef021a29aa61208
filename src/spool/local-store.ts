import fs from "node:fs";
import { factsOf, READ_FLAGS, shortWrite } from "./file-facts.js";
import type { Appender, FileFacts, Store } from "./store.js";

/**
 * A local file system: synchronous calls behind the asynchronous port. A local call takes a few microseconds,
 * a trip through libuv's thread pool ten times that.
 */
export class LocalStore implements Store {
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
    // Cut to its length at the end, not to nothing at first: ext4 writes out at once, and waits for, what was cut to
    // nothing (auto_da_alloc, ext4(5)).
    const fd = fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_CREAT, 0o666);
    try {
      fs.ftruncateSync(fd, fs.writeSync(fd, text, 0));
    } finally {
      fs.closeSync(fd);
    }
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
