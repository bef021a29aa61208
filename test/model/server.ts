import type { FileFacts } from "../../src/store/store.js";
import type { Files } from "../checker/arrays.js";

/** A file or a directory of the model's file system. */
export interface Inode {
  readonly ino: number;
  readonly entries: Map<string, Inode> | undefined;
  data: Buffer;
  mtimeMs: number;
  ctimeMs: number;
  readonly bornMs: number;
  links: number;
}

export interface Change {
  readonly what: "create" | "link" | "rename" | "unlink" | "mkdir" | "rmdir" | "write" | "touch";
  readonly path: string;
  readonly to?: string;
  readonly inode: Inode;
  /** Inode to which the new name led before. */
  readonly replaced?: Inode | undefined;
}

/**
 * A user that does not exist on this host. So a dropped file counts as complete only after its settle time, because
 * fjord cannot check the processes of this user.
 */
const UID = 4_242_424;

export function errno(code: string, path: string): NodeJS.ErrnoException {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // errors are frequent here, and a stack trace is slow
  const error = Object.assign(new Error(`${code}: ${path}`), { code, path });
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}

/**
 * The file system on the server. Each method is atomic, as the protocol assumes. Directories are handed out as inodes,
 * like NFS file handles: an actor that has one can work in the directory after a rename.
 */
export class Server {
  readonly root: Inode;
  /** Called after each change. */
  onChange: (change: Change) => void = () => undefined;
  /** Called for each file that is read. */
  onRead: (path: string) => void = () => undefined;
  #count = 1;
  /**
   * Free inode numbers of removed files, for new files. They are not used again where times are coarse, because nothing
   * would distinguish the two files.
   */
  readonly #free: number[] = [];
  readonly #now: () => number;
  readonly #grain: number;
  readonly #tellsBirth: boolean;

  /**
   * @param now the server's own clock, ms
   * @param grain resolution of its times, ms
   * @param tellsBirth whether birth times are known
   */
  constructor(now: () => number, grain: number, tellsBirth: boolean) {
    this.#now = now;
    this.#grain = grain;
    this.#tellsBirth = tellsBirth;
    this.root = this.#inode(true);
  }

  /** The directory and the name of a path. @param known directories that a client remembers */
  parentOf(path: string, known: (dir: string) => Inode | undefined): [Inode, string] {
    const end = path.lastIndexOf("/");
    return [this.directory(path.slice(0, end), known), path.slice(end + 1)];
  }

  directory(path: string, known: (dir: string) => Inode | undefined = () => undefined): Inode {
    if (path === "") return this.root;
    const found = known(path);
    if (found !== undefined) {
      if (found.links === 0) throw errno("ESTALE", path);
      return found;
    }
    const [parent, name] = this.parentOf(path, known);
    if (name === ".") return parent;
    const inode = parent.entries?.get(name);
    if (inode === undefined) throw errno("ENOENT", path);
    if (inode.entries === undefined) throw errno("ENOTDIR", path);
    return inode;
  }

  /** @returns undefined when there is no such file */
  find(path: string): Inode | undefined {
    let inode: Inode | undefined = this.root;
    for (const name of path.split("/").slice(1)) inode = inode?.entries?.get(name);
    return inode;
  }

  facts(inode: Inode): FileFacts {
    const { ino, data, mtimeMs, ctimeMs, bornMs, entries } = inode;
    const kind = entries === undefined ? "file" : "directory";
    return { ino, size: data.length, mtimeMs, ctimeMs, bornMs, mode: 0o100644, uid: UID, gid: UID, kind };
  }

  create(dir: Inode, name: string, path: string): Inode {
    if (dir.entries?.has(name)) throw errno("EEXIST", path);
    return this.#put(dir, name, this.#inode(false), path, "create");
  }

  mkdir(dir: Inode, name: string, path: string): void {
    if (dir.entries?.has(name)) throw errno("EEXIST", path);
    this.#put(dir, name, this.#inode(true), path, "mkdir");
  }

  link(inode: Inode, dir: Inode, name: string, path: string): void {
    if (dir.entries?.has(name)) throw errno("EEXIST", path);
    inode.links++;
    inode.ctimeMs = this.#time();
    this.#put(dir, name, inode, path, "link");
  }

  rename(from: Inode, name: string, to: Inode, toName: string, paths: [string, string]): void {
    const inode = from.entries?.get(name);
    if (inode === undefined) throw errno("ENOENT", paths[0]);
    // After ESTALE the system looks the path up once more and does not find it.
    if (to.links === 0) throw errno("ENOENT", paths[1]);
    const there = to.entries?.get(toName);
    if (there === inode) return;
    if (there?.entries !== undefined) {
      if (inode.entries === undefined) throw errno("EISDIR", paths[1]);
      if (there.entries.size > 0) throw errno("ENOTEMPTY", paths[1]);
    } else if (there !== undefined && inode.entries !== undefined) throw errno("ENOTDIR", paths[1]);
    if (there !== undefined) there.links = there.entries === undefined ? there.links - 1 : 0;
    from.entries?.delete(name);
    to.entries?.set(toName, inode);
    inode.ctimeMs = this.#time();
    this.#touchAll(from, to);
    this.onChange({ what: "rename", path: paths[0], to: paths[1], inode, replaced: there });
  }

  unlink(dir: Inode, name: string, path: string): void {
    const inode = dir.entries?.get(name);
    if (inode === undefined) throw errno("ENOENT", path);
    if (inode.entries !== undefined) throw errno("EISDIR", path);
    dir.entries?.delete(name);
    inode.links--;
    if (inode.links === 0 && this.#grain <= 1) this.#free.push(inode.ino);
    this.#touchAll(dir);
    this.onChange({ what: "unlink", path, inode });
  }

  rmdir(dir: Inode, name: string, path: string): void {
    const inode = dir.entries?.get(name);
    if (inode === undefined) throw errno("ENOENT", path);
    if (inode.entries === undefined) throw errno("ENOTDIR", path);
    if (inode.entries.size > 0) throw errno("ENOTEMPTY", path);
    dir.entries?.delete(name);
    inode.links = 0;
    this.#touchAll(dir);
    this.onChange({ what: "rmdir", path, inode });
  }

  write(inode: Inode, data: Buffer, path: string): void {
    inode.data = data;
    inode.mtimeMs = inode.ctimeMs = this.#time();
    this.onChange({ what: "write", path, inode });
  }

  touch(inode: Inode, mtimeMs: number, path: string): void {
    inode.mtimeMs = this.#grained(mtimeMs);
    inode.ctimeMs = this.#time();
    this.onChange({ what: "touch", path, inode });
  }

  #put(dir: Inode, name: string, inode: Inode, path: string, what: Change["what"]): Inode {
    if (dir.links === 0) throw errno("ESTALE", path);
    dir.entries?.set(name, inode);
    this.#touchAll(dir);
    this.onChange({ what, path, inode });
    return inode;
  }

  #inode(isDirectory: boolean): Inode {
    const now = this.#time();
    const entries = isDirectory ? new Map<string, Inode>() : undefined;
    const ino = this.#free.pop() ?? this.#count++;
    const times = { mtimeMs: now, ctimeMs: now, bornMs: this.#tellsBirth ? now : 0 };
    return { ino, entries, data: Buffer.alloc(0), ...times, links: 1 };
  }

  #touchAll(...inodes: Inode[]): void {
    for (const inode of inodes) inode.mtimeMs = inode.ctimeMs = this.#time();
  }

  #time(): number {
    return this.#grained(this.#now());
  }

  #grained(ms: number): number {
    return Math.floor(ms / this.#grain) * this.#grain;
  }
}

/** The files on the server, without any cache. */
export function filesOf(server: Server): Files {
  return {
    list: (dir) => [...(server.find(dir)?.entries?.keys() ?? [])],
    read: (file) => server.find(file)?.data.toString(),
  };
}
