import fs from "node:fs";

const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/**
 * Opens a file to be added to, and makes it with this mode if there is none: the umask takes nothing that a group is to have. A symlink that somebody has
 * put there is not followed.
 *
 * @throws ErrnoException ELOOP for a symlink
 */
export function openToAppend(file: string, mode: number): number {
  const fd = fs.openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode);
  const there = fs.fstatSync(fd);
  const group = mode & 0o070;
  if (there.uid === process.geteuid?.() && mode < 0o666 && (there.mode & group) !== group) {
    fs.fchmodSync(fd, (there.mode | group) & 0o777);
  }
  return fd;
}
