import fs from "node:fs";
import type { Access } from "../project/access.js";
import { LocalStore } from "./local-store.js";
import { Modes } from "./modes.js";
import { NetworkStore } from "./network-store.js";
import type { Store } from "./store.js";

/**
 * Magic numbers of network file systems. inotify reports no changes that other hosts make there. The numbers are from statfs(2),
 * linux/magic.h, and the headers of Lustre, GPFS and BeeGFS.
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

/** Magic number of FUSE. Each client may invent its own inode numbers (libfuse without `use_ino`, as in sshfs). */
const INVENTS_INODES = 0x65735546;

/**
 * Opens the store of a directory. `auto` chooses the kind of store by the type of the file system. The setting `store` overrides
 * this choice.
 *
 * @param access users who may use the new files; by default the umask decides
 */
export function openStore(dir: string, kind: "auto" | "local" | "network", access: Access = "open"): Store {
  const magic = fs.statfsSync(dir).type >>> 0;
  const seen = NETWORK_MAGIC.has(magic) ? "network" : "local";
  const modes = new Modes(access);
  return (kind === "auto" ? seen : kind) === "network"
    ? new NetworkStore(modes, magic !== INVENTS_INODES)
    : new LocalStore(modes);
}
