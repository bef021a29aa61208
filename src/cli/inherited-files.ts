import fs from "node:fs";

/** O_CLOEXEC in the `flags` of /proc/PID/fdinfo/N (proc(5)). The value is the same octal number on all architectures. */
const CLOSED_ON_EXEC = 0o2000000;
/** Options by which Node loads a module before the program. */
const PRELOADS = /(?:^|\s)(?:-r|--require|--import|--loader|--experimental-loader)\b/;
const FLAGS = /^flags:\s*([0-7]+)$/m;

/**
 * Closes all files that this process has inherited, except 0, 1 and 2. Otherwise a daemon and its jobs would hold the lock of a
 * `flock` that started them, or a pipe whose reader waits for its end. Call this function before any file is opened.
 *
 * Node opens every file so that it is closed at an exec. A file that stays open at an exec was therefore inherited. But when Node
 * starts, it marks inherited files of low numbers like its own (`uv_disable_stdio_inheritance`). fjord recognizes such files by
 * their kind, because Node itself has no file, directory or single end of a pipe open at that time. A module that was loaded
 * earlier may have opened one, so a process with such modules keeps these files. Without /proc, the function does nothing. On
 * macOS, libuv starts children with 0, 1 and 2 only.
 */
export function closeInheritedFiles(): void {
  const open = openFiles();
  const pipes = open.map(pipeOf);
  const isNodeAlone = !PRELOADS.test([...process.execArgv, process.env.NODE_OPTIONS].join(" "));
  for (const [i, fd] of open.entries()) {
    const isSingleEnd = pipes[i] !== undefined && pipes.filter((pipe) => pipe === pipes[i]).length === 1;
    if (fd <= 2 || !(isPassedOn(fd) || (isNodeAlone && (isFile(fd) || isSingleEnd)))) continue;
    try {
      fs.closeSync(fd);
    } catch {
      // this was the directory /proc/self/fd, which is closed by now
    }
  }
}

function openFiles(): number[] {
  try {
    return fs.readdirSync("/proc/self/fd").map(Number);
  } catch {
    return [];
  }
}

function isPassedOn(fd: number): boolean {
  try {
    const flags = FLAGS.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0;
  } catch {
    return false;
  }
}

function isFile(fd: number): boolean {
  try {
    const stat = fs.fstatSync(fd);
    return stat.isFile() || stat.isDirectory();
  } catch {
    return false;
  }
}

/** Name of a pipe, `pipe:[INODE]`, which both of its ends have; undefined for anything else. */
function pipeOf(fd: number): string | undefined {
  try {
    const target = fs.readlinkSync(`/proc/self/fd/${fd}`);
    return target.startsWith("pipe:") ? target : undefined;
  } catch {
    return undefined;
  }
}
