import { ownPidSpace } from "../../src/spool/identity.js";
import type { Clock } from "../../src/store/clock.js";
import { type Appender, type FileFacts, isErrno, type Store, type Watch } from "../../src/store/store.js";
import { errno, type Inode, type Server } from "./server.js";
import { isError, type Verdict } from "./verdict.js";
import type { Actor } from "./world.js";

/** Host on which a client runs, and what the host knows about other processes. */
export interface Host {
  readonly kind: "local" | "network";
  readonly caches: Caches;
  /** Whether all actors run on one host, which knows when a process has ended. */
  readonly isShared: boolean;
  /** Source of watch events; undefined if there are no events. */
  readonly watch: Watch | undefined;
  /** Whether every directory counts as a long one, even with a single name. */
  readonly isLong: boolean;
}

/** Longest time in ms for which a client may answer from each cache. With 0, the client always asks the server. */
export interface Caches {
  readonly listings: number;
  readonly attributes: number;
  /** Negative entries: the client remembers that a file does not exist. */
  readonly negatives: number;
  /** Directory handles: the client remembers which directory a path leads to. */
  readonly directories: number;
}

const NONE: Caches = { listings: 0, attributes: 0, negatives: 0, directories: 0 };

/**
 * The store of one actor. Each system call waits for its turn. On a network the store is an NFS client with its own
 * caches (nfs(5)). It asks the server about a file when it opens the file (close-to-open), but takes names and
 * attributes from its caches. It resolves a directory's path when the call begins, even if the call has to wait for its
 * turn.
 */
export class Client implements Store {
  readonly kind: "local" | "network";
  readonly rings: boolean;
  readonly long: number;
  readonly watch?: Watch;
  /** Start time of the last listing, by directory. */
  readonly listedAt = new Map<string, number>();
  readonly clock: Clock;
  readonly #server: Server;
  readonly #actor: Actor;
  readonly #caches: Caches;
  readonly #isHostShared: boolean;
  readonly #listings = new Map<string, { names: string[]; until: number }>();
  readonly #attributes = new Map<string, { facts: FileFacts; until: number }>();
  readonly #negatives = new Map<string, number>();
  readonly #directories = new Map<string, { inode: Inode; until: number }>();

  constructor(server: Server, actor: Actor, { kind, caches, isShared, watch, isLong }: Host) {
    this.#server = server;
    this.#actor = actor;
    this.kind = kind;
    this.clock = actor.clock;
    this.#caches = kind === "local" ? NONE : caches;
    this.#isHostShared = isShared;
    this.long = isLong ? 0 : Number.POSITIVE_INFINITY;
    this.rings = watch !== undefined;
    if (watch !== undefined) this.watch = watch;
  }

  async list(dir: string): Promise<string[]> {
    const cached = this.#listings.get(dir);
    const begin = this.#now();
    await this.#turn("list", dir);
    if (cached !== undefined && cached.until > this.#now()) return cached.names;
    const inode = this.#directory(dir);
    const before = [...(inode.entries?.keys() ?? [])];
    // A listing may or may not contain the entries that come or go while it is read (readdir(3)).
    await this.#turn("list on", dir);
    const after = [...(inode.entries?.keys() ?? [])];
    const isIn = (names: string[], name: string) => names.includes(name);
    const names = before
      .filter((name) => isIn(after, name) || this.#actor.world.toss())
      .concat(after.filter((name) => !isIn(before, name) && this.#actor.world.toss()));
    this.listedAt.set(dir, begin);
    this.#listings.set(dir, { names, until: this.#now() + this.#caches.listings });
    for (const path of this.#negatives.keys()) if (parentOf(path) === dir) this.#negatives.delete(path);
    return names;
  }

  async *pieces(dir: string): AsyncGenerator<string[], void> {
    for (const name of await this.list(dir)) yield [name];
  }

  async read(path: string, limit: number): Promise<{ bytes: Buffer; facts: FileFacts }> {
    await this.#turn("read", path);
    const inode = this.#open(path);
    this.#server.onRead(path);
    const bytes = inode.entries === undefined ? inode.data.subarray(0, limit) : Buffer.alloc(0);
    const isOfProcess = this.#isHostShared && /\/(workerqueue\/.+|dispatcher)\.ini$/.test(path);
    return { bytes: isOfProcess ? this.#asOfNow(bytes) : bytes, facts: this.#server.facts(inode) };
  }

  async facts(path: string): Promise<FileFacts> {
    await this.#turn("facts", path);
    return this.#lstat(path);
  }

  async has(path: string): Promise<boolean> {
    await this.#turn("has", path);
    try {
      this.#lstat(path);
      return true;
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
      throw error;
    }
  }

  async tail(path: string, limit: number): Promise<string> {
    await this.#turn("tail", path);
    const { data } = this.#open(path);
    return data.toString("utf8", Math.max(0, data.length - limit));
  }

  async readFrom(path: string, offset: number, limit: number): Promise<Buffer> {
    await this.#turn("read on", path);
    return this.#open(path).data.subarray(offset, offset + limit);
  }

  async create(path: string, content: string | Uint8Array): Promise<void> {
    const data = Buffer.from(typeof content === "string" ? this.#fromHere(content) : content);
    const place = this.#place(path);
    await this.#turn("create", path);
    const [dir, name] = place();
    const inode = this.#server.create(dir, name, path);
    this.#changed(path);
    if (data.length === 0) return;
    const verdict = await this.#turn("fill", path, "half");
    this.#changed(path);
    if (verdict === "do") return this.#server.write(inode, data, path);
    this.#server.write(inode, data.subarray(0, data.length >> 1), path);
    await this.#turn("unlink", path);
    this.#server.unlink(dir, name, path);
    throw errno("ENOSPC", path);
  }

  async overwrite(path: string, text: string): Promise<void> {
    await this.#turn("overwrite", path);
    const inode = this.#open(path);
    const size = inode.data.length;
    const bytes = Buffer.alloc(size, "\n");
    bytes.write(this.#fromHere(text));
    // This is one write(2), but a reader on the same host may see half of it.
    this.#server.write(
      inode,
      Buffer.concat([bytes.subarray(0, size >> 1), inode.data.subarray(size >> 1)]),
      path,
    );
    await this.#turn("overwrite on", path);
    this.#server.write(inode, bytes, path);
    this.#changed(path);
  }

  async write(path: string, text: string): Promise<void> {
    const place = this.#place(path);
    await this.#turn("write", path);
    const [dir, name] = place();
    const inode = dir.entries?.get(name) ?? this.#server.create(dir, name, path);
    this.#changed(path);
    this.#server.write(inode, Buffer.from(text.slice(0, text.length >> 1)), path);
    await this.#turn("write on", path);
    this.#server.write(inode, Buffer.from(text), path);
    this.#changed(path);
  }

  async appender(path: string): Promise<Appender> {
    await this.#turn("open", path);
    const [dir, name] = this.#parent(path);
    const inode = dir.entries?.get(name) ?? this.#server.create(dir, name, path);
    this.#changed(path);
    return {
      append: async (text) => {
        const verdict = await this.#turn("append", path, "half");
        const bytes = Buffer.from(verdict === "do" ? text : text.slice(0, -1));
        this.#server.write(inode, Buffer.concat([inode.data, bytes]), path);
        if (verdict !== "do") throw errno("ENOSPC", path);
      },
      flush: async () => {
        await this.#turn("flush", path);
      },
      close: async () => {
        await this.#turn("close", path);
      },
    };
  }

  async link(existing: string, path: string): Promise<void> {
    const place = this.#place(path);
    await this.#change("link", path, () => {
      const [dir, name] = place();
      this.#server.link(this.#open(existing), dir, name, path);
    });
  }

  async rename(from: string, to: string): Promise<void> {
    const [place, toPlace] = [this.#place(from), this.#place(to)];
    await this.#change("rename", `${from} ${to}`, () => {
      if ((this.#negatives.get(from) ?? 0) > this.#now()) throw errno("ENOENT", from);
      this.#server.rename(...place(), ...toPlace(), [from, to]);
    });
    this.#changed(from);
    this.#changed(to);
  }

  async unlink(path: string): Promise<void> {
    const place = this.#place(path);
    await this.#change("unlink", path, () => this.#server.unlink(...place(), path));
  }

  async mkdir(path: string, recursive = false): Promise<void> {
    const place = this.#place(path);
    await this.#change("mkdir", path, () => {
      const [dir, name] = place();
      if (!recursive || !dir.entries?.has(name)) this.#server.mkdir(dir, name, path);
    });
  }

  async rmdir(path: string): Promise<void> {
    const place = this.#place(path);
    await this.#change("rmdir", path, () => this.#server.rmdir(...place(), path));
  }

  async removeTree(path: string): Promise<void> {
    const ifThere = (error: unknown) => {
      if (!isErrno(error, "ENOENT")) throw error;
    };
    await this.unlink(path).catch(async (error) => {
      if (!isErrno(error, "EISDIR")) return ifThere(error);
      for (const name of await this.list(path)) await this.removeTree(`${path}/${name}`);
      await this.rmdir(path).catch(ifThere);
    });
  }

  async touch(path: string, mtimeMs: number): Promise<void> {
    await this.#turn("touch", path);
    this.#server.touch(this.#open(path), mtimeMs, path);
    this.#changed(path);
  }

  async flushDirectory(): Promise<void> {}

  #now(): number {
    return this.#actor.world.time;
  }

  /**
   * Changes the PID namespace in the text, unless all actors share a host, so that other actors cannot check this
   * process.
   */
  #fromHere(text: string): string {
    return this.#isHostShared ? text : text.replace(ownPidSpace(), (space) => [...space].reverse().join(""));
  }

  /**
   * All actors are this one process. For an actor that has ended, the start time is changed, so that the PID seems to
   * belong to a newer process.
   */
  #asOfNow(bytes: Buffer): Buffer {
    const text = bytes.toString();
    const id = /^id *[=:] *(\w+)-/m.exec(text)?.[1];
    const actor = this.#actor.world.actors.find(({ name }) => name === id);
    if (actor === undefined || !actor.isOver) return bytes;
    return Buffer.from(
      text.replace(/^(start *[=:] *)(\d+)$/m, (_, key, start) => key + "0".repeat(start.length)),
    );
  }

  /** One step: the caller waits until the scheduler lets the call go. */
  async #turn(what: string, path: string, fault?: Verdict): Promise<Verdict> {
    const verdict = await this.#actor.turn(what, path, fault);
    if (isError(verdict)) throw errno(verdict, path);
    return verdict;
  }

  /**
   * A call that changes names. When its reply is lost, the client sends the call again, and the second call finds the
   * effect of the first.
   */
  async #change(what: string, path: string, make: () => void): Promise<void> {
    const canBeSentAgain = this.kind === "network" ? "replay" : undefined;
    const verdict = await this.#turn(what, path, canBeSentAgain);
    make();
    this.#changed(path);
    if (verdict !== "replay") return;
    await this.#turn(`${what} again`, path);
    make();
  }

  /**
   * Looks up the directory of a name. On a network this happens when the call begins, on one host when the call's turn
   * comes.
   */
  #place(path: string): () => [Inode, string] {
    if (this.kind === "local") return () => this.#parent(path);
    const place = this.#parent(path);
    return () => place;
  }

  #parent(path: string): [Inode, string] {
    const dir = parentOf(path);
    return [this.#directory(dir), path.slice(dir.length + 1)];
  }

  #directory(dir: string): Inode {
    const known = this.#directories.get(dir);
    if (known !== undefined && known.until > this.#now()) {
      if (known.inode.links > 0) return known.inode;
      this.#directories.delete(dir);
    }
    const inode = this.#server.directory(dir);
    if (this.#caches.directories > 0) {
      this.#directories.set(dir, { inode, until: this.#now() + this.#caches.directories });
    }
    return inode;
  }

  #open(path: string): Inode {
    if ((this.#negatives.get(path) ?? 0) > this.#now()) throw errno("ENOENT", path);
    const [dir, name] = this.#parent(path);
    const inode = dir.entries?.get(name);
    if (inode === undefined) throw errno("ENOENT", path);
    return inode;
  }

  #lstat(path: string): FileFacts {
    const now = this.#now();
    const cached = this.#attributes.get(path);
    const isCached = cached !== undefined && cached.until > now;
    if (!isCached && (this.#negatives.get(path) ?? 0) > now) throw errno("ENOENT", path);
    this.#actor.missedAt.delete(path);
    if (isCached) return cached.facts;
    let facts: FileFacts;
    try {
      const [dir, name] = this.#parent(path);
      const inode = dir.entries?.get(name);
      if (inode === undefined) throw errno("ENOENT", path);
      facts = this.#server.facts(inode);
      this.#actor.foundAt.set(path, now);
    } catch (error) {
      this.#actor.missedAt.set(path, now);
      if (this.#caches.negatives > 0) this.#negatives.set(path, now + this.#caches.negatives);
      throw error;
    }
    if (this.#caches.attributes > 0)
      this.#attributes.set(path, { facts, until: now + this.#caches.attributes });
    return facts;
  }

  /** Drops cached facts about a path that this client has changed. */
  #changed(path: string): void {
    for (const one of path.split(" ")) {
      this.#attributes.delete(one);
      this.#negatives.delete(one);
      this.#directories.delete(one);
      this.#listings.delete(parentOf(one));
    }
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
