import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { execa } from "execa";
import { freePorts } from "../rig/free-ports.js";
import type { Bench } from "./harness.js";
import { until } from "./harness.js";

const SSHD = "/usr/sbin/sshd";

/** What they say goes to `all`; `exitCode` is null while they live. */
function start(program: string, args: readonly string[]) {
  return execa(program, args, { reject: false, all: true, stdin: "ignore" });
}

type Program = ReturnType<typeof start>;

function hasEnded({ exitCode, signalCode }: Program): boolean {
  return exitCode !== null || signalCode !== null;
}

/** A TCP port that leads to another, like a cable: it can be cut without anybody being told, joined again, or torn off. */
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

  /** Nothing comes through any more, in either direction; what is sent waits, and comes late. */
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

  /** Both ends see the connection break, and what is under way is lost. */
  tear(): void {
    for (const pair of this.#pairs) this.#part(pair);
  }

  close(): void {
    this.#server.close();
    this.tear();
  }
}

/** A host that has the project by sshfs: its mount, and the link to the server. */
export class Host {
  readonly link: Link;
  readonly #name: string;
  readonly #sshfs: Program;
  readonly #mount: string;
  readonly #bench: Bench;
  readonly #bootId: string;

  constructor(name: string, bench: Bench, mount: string, link: Link, sshfs: Program) {
    this.#name = name;
    this.#bench = bench;
    this.#mount = mount;
    this.link = link;
    this.#sshfs = sshfs;
    this.#bootId = `${mount}.boot`;
    fs.writeFileSync(this.#bootId, randomUUID());
  }

  /**
   * What makes a program run there: the project has its usual path and is seen through the mount, host name and boot are
   * others. Its pids are those of this machine.
   */
  get prefix(): string[] {
    const script = `hostname "$1" && mount --bind "$2" /proc/sys/kernel/random/boot_id && mount --bind "$3" "$4" || exit 97
shift 4; exec "$@"`;
    return [
      ...["unshare", "--mount", "--uts", "--propagation", "slave", "sh", "-c", script, "sh"],
      ...[
        this.#name,
        this.#bootId,
        path.join(this.#mount, path.basename(this.#bench.root)),
        this.#bench.root,
      ],
    ];
  }

  /** The sshfs is killed: whatever hangs in the mount comes back with an error. */
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

/** An sshd of the test's own, with its own keys, and what is mounted from it. */
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

  /** Amid a test, when its runner is told to end: a mount would stay. */
  readonly #onExit = (): void => {
    for (const host of this.#hosts) host.tearDown();
    this.#sshd.kill("SIGTERM");
  };

  /** @returns why there can be none, if so */
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
    await until("sshd answers, or there is none", async () => hasEnded(sshd) || (await isListening(port)));
    if (!hasEnded(sshd)) return server;
    await server.close();
    return "no sshd can be started";
  }

  /**
   * @param options of sshfs
   * @throws Error when it cannot be mounted
   */
  async host(name: string, bench: Bench, ...options: string[]): Promise<Host> {
    const link = await Link.open(this.#port);
    const mount = fs.mkdtempSync(path.join(this.#directory, `${name}-`));
    const all = [
      `port=${link.port},IdentityFile=${path.join(this.#directory, "user-key")},IdentitiesOnly=yes,BatchMode=yes`,
      "UserKnownHostsFile=/dev/null,StrictHostKeyChecking=no,LogLevel=ERROR",
      ...options,
    ].join(",");
    const user = os.userInfo().username;
    const args = ["-f", "-F", "/dev/null", "-o", all, `${user}@127.0.0.1:${bench.base}`, mount];
    const sshfs = start("sshfs", args);
    const host = new Host(name, bench, mount, link, sshfs);
    this.#hosts.push(host);
    await until("it is mounted", () => hasEnded(sshfs) || isMounted(mount));
    if (hasEnded(sshfs)) throw new Error(`sshfs: ${(await sshfs).all}`);
    return host;
  }

  /** Takes all hosts' mounts away. */
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

/** Asked of the kernel: to look at a mount whose link is cut would hang. */
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
