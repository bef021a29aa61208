import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { execa } from "execa";
import { freePorts } from "../rig/free-ports.js";
import { until } from "../rig/until.js";
import type { WitnessedProject } from "./witnessed-project.js";

const SSHD = "/usr/sbin/sshd";

/** Starts a program. Its output goes to `all`, and `exitCode` is null while the program lives. */
function start(program: string, args: readonly string[]) {
  return execa(program, args, { reject: false, all: true, stdin: "ignore" });
}

type Program = ReturnType<typeof start>;

function hasEnded({ exitCode, signalCode }: Program): boolean {
  return exitCode !== null || signalCode !== null;
}

/**
 * Forwards a TCP port to another one, like a cable. The test can cut the cable without a message to its ends, join it
 * again, or break the connection.
 */
class Link {
  readonly #server: net.Server;
  readonly #pairs = new Set<readonly [net.Socket, net.Socket]>();
  readonly #to: number;
  #isCut = false;

  private constructor(server: net.Server, to: number) {
    this.#server = server;
    this.#to = to;
    server.on("connection", (near) => this.#connect(near));
  }

  static async open(to: number): Promise<Link> {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Link(server, to);
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  #connect(near: net.Socket): void {
    const pair = [near, net.connect(this.#to, "127.0.0.1")] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => this.#part(pair));
    }
    if (!this.#isCut) this.#join(pair);
  }

  #join([near, far]: readonly [net.Socket, net.Socket]): void {
    near.pipe(far);
    far.pipe(near);
  }

  #part(pair: readonly [net.Socket, net.Socket]): void {
    for (const socket of pair) socket.destroy();
    this.#pairs.delete(pair);
  }

  /** Stops the data in both directions. Data that is sent meanwhile arrives later. */
  cut(): void {
    this.#isCut = true;
    for (const [near, far] of this.#pairs) {
      for (const socket of [near, far]) {
        socket.unpipe();
        socket.pause();
      }
    }
  }

  join(): void {
    this.#isCut = false;
    for (const pair of this.#pairs) this.#join(pair);
  }

  /** Breaks the connection for both ends. Data on the way is lost. */
  tear(): void {
    for (const pair of this.#pairs) this.#part(pair);
  }

  close(): void {
    this.#server.close();
    this.tear();
  }
}

/** A host that mounts the project by sshfs, with its link to the server. */
export class Host {
  readonly link: Link;
  readonly #name: string;
  readonly #sshfs: Program;
  readonly #mount: string;
  readonly #project: WitnessedProject;
  readonly #bootId: string;

  constructor(name: string, project: WitnessedProject, mount: string, link: Link, sshfs: Program) {
    this.#name = name;
    this.#project = project;
    this.#mount = mount;
    this.link = link;
    this.#sshfs = sshfs;
    this.#bootId = `${mount}.boot`;
    fs.writeFileSync(this.#bootId, randomUUID());
  }

  /**
   * Starts a program on this host. The project has its usual path and is seen through the mount. The host name and
   * the boot id are those of this host, but the pids are those of this machine.
   */
  get prefix(): string[] {
    const script = `hostname "$1" && mount --bind "$2" /proc/sys/kernel/random/boot_id && mount --bind "$3" "$4" || exit 97
shift 4; exec "$@"`;
    const { root, directory } = this.#project;
    const mounted = path.join(this.#mount, path.relative(root, directory));
    return [
      ...["unshare", "--mount", "--uts", "--propagation", "slave", "sh", "-c", script, "sh"],
      ...[this.#name, this.#bootId, mounted, directory],
    ];
  }

  /** Kills sshfs, so that each call that hangs in the mount returns with an error. */
  tearDown(): void {
    this.#sshfs.kill("SIGKILL");
    this.link.close();
    spawnSync("umount", ["-l", this.#mount]);
  }

  async unmount(): Promise<void> {
    this.tearDown();
    await this.#sshfs;
  }
}

/** An sshd with its own keys, and the mounts of its directory. */
export class Server {
  readonly #directory: string;
  readonly #port: number;
  readonly #sshd: Program;
  readonly #hosts: Host[] = [];

  private constructor(directory: string, port: number, sshd: Program) {
    this.#directory = directory;
    this.#port = port;
    this.#sshd = sshd;
    process.once("exit", this.#onExit);
  }

  /** Unmounts everything when the test runner ends in the middle of a test. Otherwise the mounts would stay. */
  readonly #onExit = (): void => {
    for (const host of this.#hosts) host.tearDown();
    this.#sshd.kill("SIGTERM");
  };

  /** @returns the server, or the reason why it cannot start */
  static async start(): Promise<Server | string> {
    const missing = whatIsMissing();
    if (missing !== undefined) return missing;
    const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-views-")));
    const own = (name: string) => path.join(directory, name);
    for (const key of ["host-key", "user-key"]) {
      await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", own(key)]);
    }
    const [port = 0] = await freePorts(1);
    fs.writeFileSync(
      own("sshd_config"),
      `ListenAddress 127.0.0.1:${port}
HostKey ${own("host-key")}
AuthorizedKeysFile ${own("user-key.pub")}
StrictModes no
UsePAM no
PermitRootLogin yes
PidFile none
Subsystem sftp internal-sftp
`,
    );
    const sshd = start(SSHD, ["-D", "-e", "-f", own("sshd_config")]);
    const server = new Server(directory, port, sshd);
    await until("sshd answers or has ended", async () => hasEnded(sshd) || (await isListening(port)));
    if (!hasEnded(sshd)) return server;
    await server.close();
    return "no sshd can be started";
  }

  /**
   * Mounts the project on a host.
   *
   * @param options of sshfs
   * @throws Error when the mount fails
   */
  async host(name: string, project: WitnessedProject, ...options: string[]): Promise<Host> {
    const link = await Link.open(this.#port);
    const mount = fs.mkdtempSync(path.join(this.#directory, `${name}-`));
    const all = [
      `port=${link.port},IdentityFile=${path.join(this.#directory, "user-key")},IdentitiesOnly=yes,BatchMode=yes`,
      "UserKnownHostsFile=/dev/null,StrictHostKeyChecking=no,LogLevel=ERROR",
      ...options,
    ].join(",");
    const user = os.userInfo().username;
    const args = ["-f", "-F", "/dev/null", "-o", all, `${user}@127.0.0.1:${project.root}`, mount];
    const sshfs = start("sshfs", args);
    const host = new Host(name, project, mount, link, sshfs);
    this.#hosts.push(host);
    await until("the project is mounted", () => hasEnded(sshfs) || isMounted(mount));
    if (hasEnded(sshfs)) throw new Error(`sshfs: ${(await sshfs).all}`);
    return host;
  }

  /** Unmounts the project on all hosts. */
  async unmountAll(): Promise<void> {
    for (const host of this.#hosts.splice(0)) await host.unmount();
  }

  async close(): Promise<void> {
    await this.unmountAll();
    process.off("exit", this.#onExit);
    this.#sshd.kill("SIGTERM");
    await this.#sshd;
    fs.rmSync(this.#directory, { recursive: true });
  }
}

function whatIsMissing(): string | undefined {
  if (process.platform !== "linux") return "this is not Linux";
  if (process.getuid?.() !== 0) return "mounts and namespaces need root";
  if (!fs.existsSync("/dev/fuse")) return "there is no /dev/fuse";
  if (spawnSync("sshfs", ["--version"]).status !== 0) return "there is no sshfs";
  if (!fs.existsSync(SSHD)) return "there is no sshd";
  if (spawnSync("unshare", ["--mount", "--uts", "true"]).status !== 0) return "there are no namespaces";
  return undefined;
}

/** Reads the kernel's list of mounts, because a look at a mount would hang when its link is cut. */
function isMounted(mount: string): boolean {
  return fs.readFileSync("/proc/self/mountinfo", "utf8").includes(` ${mount} `);
}

async function isListening(port: number): Promise<boolean> {
  const socket = net.connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
