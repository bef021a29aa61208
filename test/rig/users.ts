import fs from "node:fs";
import { execa } from "execa";
import { binary, type CommandEnd, type CommandName, type CommandOptions, PACKAGE } from "./command.js";
import type { TemporaryProject } from "./temporary-project.js";
import { skip } from "./with-project.js";

/** Users that every system has. Commands of both run with this group. */
export const GROUP = { name: "nogroup", gid: 65534 };
export const ANN = { name: "nobody", uid: 65534, gid: 65534 };
export const BOB = { name: "daemon", uid: 1, gid: 1 };
/** A user outside that group. */
export const EVE = { name: "bin", uid: 2, gid: 2 };
export type User = typeof ANN;

function setpriv(user: User): string[] {
  const groups = user === BOB ? [`--groups=${GROUP.gid}`] : ["--clear-groups"];
  return [`--reuid=${user.uid}`, `--regid=${user.gid}`, ...groups];
}

/** For `before`: skips the tests unless the test may act as other users and these users can run the package. */
export async function needUsers(context: Mocha.Context): Promise<void> {
  if (process.getuid?.() !== 0) skip(context, "only root can act as other users");
  if (!/^nogroup:[^:]*:65534:/m.test(fs.readFileSync("/etc/group", "utf8"))) skip(context, "no nogroup");
  for (const user of [ANN, BOB]) {
    const look = [...setpriv(user), process.execPath, binary("fjord"), "--version"];
    const { failed, stderr, shortMessage } = await execa("setpriv", look, { reject: false, cwd: "/" });
    if (failed) skip(context, `another user cannot run ${PACKAGE}: ${stderr || shortMessage}`);
  }
}

/** Lets all users into the temporary project, and makes one of them its owner. */
export async function openWorldTo(project: TemporaryProject, owner: User): Promise<void> {
  await execa("chown", ["-R", `${owner.uid}:${owner.gid}`, project.root]);
  fs.chmodSync(project.root, 0o755);
}

/** Runs one of the commands as another user, with that user's umask. */
export function runAs(
  project: TemporaryProject,
  user: User,
  umask: string,
  name: CommandName,
  args: readonly string[] = [],
  options: CommandOptions = {},
): Promise<CommandEnd> {
  const line = [process.execPath, binary(name), ...args];
  const shell = ["sh", "-c", `umask ${umask}; exec "$@"`, "sh", ...line];
  return project.startProgram("setpriv", [...setpriv(user), ...shell], options).end;
}

/** Writes a file as another user. */
export function fileOf(user: User, file: string, text: string, mode = 0o644): void {
  fs.writeFileSync(file, text, { mode });
  fs.chmodSync(file, mode);
  fs.chownSync(file, user.uid, user.gid);
}
