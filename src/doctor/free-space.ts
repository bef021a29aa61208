import fs from "node:fs";
import { formatSize } from "../job/size.js";
import type { Judgement } from "./finding.js";
import type { TestContext } from "./test-context.js";

/** Limits of a warning. Below a hundredth of them, the verdict is `bad`. */
const SCARCE = { bytes: 1e9, inodes: 10_000 };

/** Space that is free for this user. */
export interface FreeSpace {
  readonly bytes: number;
  /** Undefined when the file system does not count inodes. */
  readonly inodes: number | undefined;
}

export async function testFreeSpace({ scratch }: TestContext): Promise<Judgement> {
  const { bavail, bsize, files, ffree } = await fs.promises.statfs(scratch);
  return judgeFreeSpace({ bytes: bavail * bsize, inodes: files > 0 ? ffree : undefined });
}

export function judgeFreeSpace(room: FreeSpace): Judgement {
  const { bytes, inodes } = room;
  const found = [
    `${formatSize(bytes)} are free`,
    inodes === undefined ? "inodes are not counted" : `${inodes.toLocaleString("en")} inodes are free`,
  ].join(", and ");
  const full = (share: number) =>
    bytes < SCARCE.bytes * share || (inodes !== undefined && inodes < SCARCE.inodes * share);
  if (full(0.01)) {
    return {
      verdict: "bad",
      found,
      means: "the file system is nearly full, and workers stall until it has space",
      measured: room,
    };
  }
  if (full(1)) {
    return {
      verdict: "warning",
      found,
      means: "each attempt adds a log file, and lines in a ledger",
      measured: room,
    };
  }
  return { verdict: "ok", found, means: "each attempt adds one file, its log", measured: room };
}
