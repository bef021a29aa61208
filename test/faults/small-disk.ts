import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

/** A small tmpfs that a test can fill. */
export class SmallDisk {
  readonly path: string;

  private constructor(mount: string) {
    this.path = mount;
  }

  /** @returns the disk, or the reason why no disk can be mounted */
  static mount(...options: string[]): SmallDisk | string {
    const mount = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-disk-"));
    const refused = run("mount", "-t", "tmpfs", "-o", options.join(","), "tmpfs", mount);
    if (refused === undefined) return new SmallDisk(mount);
    fs.rmdirSync(mount);
    return refused;
  }

  unmount(): void {
    run("umount", "-l", this.path);
    fs.rmdirSync(this.path);
  }

  /** Fills all free space. @returns a function that frees this space */
  fill(): () => void {
    const filler = path.join(this.path, "filler");
    const fd = fs.openSync(filler, "w");
    const block = Buffer.alloc(4096);
    try {
      untilFull(() => fs.writeSync(fd, block));
    } finally {
      fs.closeSync(fd);
    }
    return () => fs.rmSync(filler);
  }

  /** Uses up all inodes. @returns a function that frees these inodes */
  crowd(): () => void {
    const crowded = path.join(this.path, "crowd");
    fs.mkdirSync(crowded);
    untilFull((n) => fs.writeFileSync(path.join(crowded, String(n)), ""));
    return () => fs.rmSync(crowded, { recursive: true });
  }
}

function untilFull(take: (n: number) => void): void {
  for (let n = 0; ; n++) {
    try {
      take(n);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") return;
      throw error;
    }
  }
}

/** @returns the error message, or undefined */
export function run(command: string, ...args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  return error === undefined && status === 0 ? undefined : (error?.message ?? stderr.trim());
}
