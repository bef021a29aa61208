import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { execa } from "execa";
import { PACKAGE } from "../../test/rig/command.js";
import { PEERS } from "./peers.js";

/** Where the numbers come from: names and values, for people. */
export async function machine(dir: string, cores: number): Promise<[string, string][]> {
  const { version } = JSON.parse(fs.readFileSync(path.join(PACKAGE, "package.json"), "utf8"));
  const fileSystem = await execa("df", ["--output=fstype", dir], { reject: false });
  const facts: [string, string][] = [
    ["cores", `${cores}, ${os.cpus()[0]?.model.trim() ?? "?"}`],
    ["memory", `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB`],
    ["kernel", `${os.type()} ${os.release()} ${os.arch()}`],
    ["file system", fileSystem.stdout?.split("\n")[1] ?? "?"],
    [
      "load before",
      os
        .loadavg()
        .map((load) => load.toFixed(2))
        .join(" "),
    ],
    ["node", process.version],
    ["fjord", version],
  ];
  for (const peer of PEERS) facts.push([peer.name, (await peer.version()) ?? "not installed"]);
  return facts;
}
