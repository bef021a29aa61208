import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { execa } from "execa";
import { PACKAGE } from "../../test/rig/command.js";
import type { Setup } from "./setup.js";

/** Load averages of the last 1, 5 and 15 minutes. */
export function load(): string {
  const averages = os.loadavg().map((average) => average.toFixed(2));
  return averages.join(" ");
}

/** Names and values that describe the machine and the programs, for people. */
export async function machine(
  dir: string,
  cores: number,
  peers: Setup["peers"],
): Promise<[string, string][]> {
  const { version } = JSON.parse(fs.readFileSync(path.join(PACKAGE, "package.json"), "utf8"));
  const fileSystem = await execa("df", ["--output=fstype", dir], { reject: false });
  const facts: [string, string][] = [
    ["cores", `${cores}, ${os.cpus()[0]?.model.trim() ?? "?"}`],
    ["memory", `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB`],
    ["kernel", `${os.type()} ${os.release()} ${os.arch()}`],
    ["file system", fileSystem.stdout?.split("\n")[1] ?? "?"],
    ["load before", load()],
    ["node", process.version],
    ["fjord", version],
  ];
  for (const { peer, found } of peers) {
    facts.push([peer.name, found.kind === "there" ? found.version : `left out: ${found.reason}`]);
  }
  return facts;
}
