import fs from "node:fs";

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants;

/*
 * No call with these flags follows a symbolic link, because another user may put a link where fjord reads or writes.
 * `Store.create` uses O_EXCL, which never follows a link.
 */

/** Flags for reading. With them, open(2) does not wait for the other end of a FIFO. */
export const READ_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
/** Flags for appending; they create the file if there is none. */
export const APPEND_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW;
/** Flags for writing a file from its start; they create the file if there is none. */
export const WRITE_FLAGS = O_WRONLY | O_CREAT | O_NOFOLLOW;
/** Flags for overwriting an existing file. */
export const OVERWRITE_FLAGS = O_RDWR | O_NOFOLLOW;
