import fs from "node:fs";

const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/**
 * Opens a file for appending, and creates it if there is none. The call does not follow a symbolic link, because another user may
 * have put the link there.
 *
 * @param mode mode of a new file. The call sets the group's bits even if the umask would remove them
 * @throws ErrnoException ELOOP for a symbolic link
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
