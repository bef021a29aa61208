import fs from "node:fs";
import { formatSize } from "../job/size.js";
import type { Judgement } from "./finding.js";
import type { Site } from "./site.js";

/** Under these it is said; under a hundredth of them nothing much can be put here. */
const SCARCE = { bytes: 1e9, inodes: 10_000 };

/** What the file system has left for this user. */
export interface Room {
  readonly bytes: number;
  /** Undefined where the file system does not count them. */
  readonly inodes: number | undefined;
}

export async function readRoom({ scratch }: Site): Promise<Judgement> {
  const { bavail, bsize, files, ffree } = await fs.promises.statfs(scratch);
  return judgeRoom({ bytes: bavail * bsize, inodes: files > 0 ? ffree : undefined });
}

export function judgeRoom(room: Room): Judgement {
  const { bytes, inodes } = room;
  const found = [
    `${formatSize(bytes)} left`,
    inodes === undefined ? "inodes are not counted" : `${inodes.toLocaleString("en")} inodes left`,
  ].join(", ");
  const full = (share: number) =>
    bytes < SCARCE.bytes * share || (inodes !== undefined && inodes < SCARCE.inodes * share);
  if (full(0.01)) {
    return {
      verdict: "bad",
      found,
      means: "nearly full: workers stall, and work waits until there is room",
      measured: room,
    };
  }
  if (full(1)) {
    return {
      verdict: "warning",
      found,
      means: "each attempt leaves a log, a file of its own, and a line in a ledger",
      measured: room,
    };
  }
  return { verdict: "ok", found, means: "each attempt takes one file, its log", measured: room };
}
