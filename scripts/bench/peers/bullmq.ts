import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { PACKAGE } from "../../../test/rig/command.js";
import { freePorts } from "../../../test/rig/free-ports.js";
import { type Peer, type PeerVersion, versionOf } from "./peer.js";

const USER = path.join(PACKAGE, "dist", "scripts", "bench", "peers", "bullmq-user.js");
/** Longest time until redis-server is ready, in ms. */
const PATIENCE = 10_000;

/** Version of a package; undefined when the package cannot be loaded from the directory. */
function packageVersion(dir: string, name: string): string | undefined {
  try {
    const entry = createRequire(path.join(path.resolve(dir), "package.json")).resolve(name);
    const root = entry.slice(0, entry.lastIndexOf(`${path.sep}${name}${path.sep}`));
    const { version } = JSON.parse(fs.readFileSync(path.join(root, name, "package.json"), "utf8"));
    return version;
  } catch {
    return undefined;
  }
}

/** @param dir directory in which `npm install bullmq ioredis` was run, if `--peers` was given */
export function bullmq(dir: string | undefined): Peer {
  return {
    name: "BullMQ",
    how: "one process, concurrency CORES, that spawns /bin/true; all jobs queued, timed from its start",
    async version(): Promise<PeerVersion> {
      const redis = await versionOf("redis-server", "--version");
      if (redis.kind === "missing") return { kind: "missing", reason: "no redis-server" };
      if (dir === undefined) return { kind: "missing", reason: "no --peers DIR" };
      const [own, client] = ["bullmq", "ioredis"].map((name) => packageVersion(dir, name));
      if (own === undefined || client === undefined) {
        return { kind: "missing", reason: `${dir}: npm install bullmq ioredis` };
      }
      const server = /v=(\S+)/.exec(redis.version)?.[1] ?? redis.version;
      return { kind: "there", version: `${own}, ioredis ${client}, redis ${server}` };
    },
    async run(scratch, jobs, slots) {
      const home = scratch.make("redis");
      const [port = 0] = await freePorts(1);
      const options = { env: scratch.env, extendEnv: false, cwd: home, stdin: "ignore" } as const;
      const where = ["--port", String(port), "--bind", "127.0.0.1", "--dir", home];
      const redis = execa("redis-server", where, { ...options, reject: false });
      let isUp = false;
      redis.stdout.on("data", (text: Buffer) => {
        isUp ||= String(text).includes("Ready to accept connections");
      });
      try {
        const late = performance.now() + PATIENCE;
        while (!isUp) {
          if (redis.exitCode !== null || performance.now() > late)
            throw new Error("redis-server does not start");
          await delay(10);
        }
        const words = [path.resolve(dir ?? ""), String(port), String(jobs)];
        await execa(process.execPath, [USER, "add", ...words], options);
        const begin = performance.now();
        await execa(process.execPath, [USER, "work", ...words, String(slots)], options);
        return (performance.now() - begin) / 1000;
      } finally {
        redis.kill("SIGTERM");
        await redis;
      }
    },
  };
}
