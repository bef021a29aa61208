import crypto from "node:crypto";

const RUN = /^run-\d{8}-\d{6}-[0-9a-f]{6}$/;

/** Name for the project of one `fjord run`: the time when it begins, in UTC, and random digits. */
export function newRunName(): string {
  const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return `run-${time}-${crypto.randomBytes(3).toString("hex")}`;
}

export function isRunName(name: string): boolean {
  return RUN.test(name);
}
