import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { FjordError } from "../job/error.js";
import { quote, visible } from "../job/quote.js";
import { shellQuote } from "../job/shell-words.js";
import { Layout } from "../project/layout.js";
import { defaultSettings, readSettings, type Settings } from "../project/settings.js";
import { hostName } from "../spool/identity.js";
import { openStore } from "../store/open-store.js";
import { isSystemError } from "../store/store.js";
import { compareClocks } from "./clocks.js";
import { examine } from "./examine.js";
import type { Finding } from "./finding.js";
import { judgeGreetings, PeerLost } from "./greetings.js";
import { LocalPeer } from "./local-peer.js";
import { RemotePeer } from "./remote-peer.js";
import { makeScratchDirectory, removeScratchDirectory } from "./scratch-directory.js";

export interface DoctorOptions {
  /** Host on which the second process runs, over ssh. The default is this host. */
  readonly from?: string;
  readonly version: string;
  /** Command that starts `fjord` on this host. */
  readonly program: readonly [string, ...string[]];
  /** Ends the tests early. The scratch directory is removed in this case too. */
  readonly signal: AbortSignal;
}

export interface Diagnosis {
  readonly directory: string;
  /** This host, and the host of the second process. */
  readonly hosts: readonly string[];
  readonly findings: readonly Finding[];
}

/**
 * Tests a directory with two processes. A system error becomes a finding.
 *
 * @throws FjordError `bad-project` when the directory does not exist, `bad-settings`
 */
export async function diagnose(directory: string, options: DoctorOptions): Promise<Diagnosis> {
  if (!fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new FjordError(
      "bad-project",
      `There is no directory ${quote(directory)}.`,
      "Make the directory first, or test another one: fjord doctor DIR",
    );
  }
  const said = settingsOf(directory);
  const alone = (...findings: Finding[]): Diagnosis => ({ directory, hosts: [hostName()], findings });
  let scratch: string;
  try {
    scratch = makeScratchDirectory(directory);
  } catch (error) {
    return alone(notWritable(error));
  }
  try {
    const mark = crypto.randomUUID();
    fs.writeFileSync(path.join(scratch, "mark"), mark);
    return await examineWith(scratch, mark, directory, said, options);
  } catch (error) {
    if (options.signal.aborted) throw error;
    if (error instanceof PeerLost) return alone(peerMissing(error, options.from));
    return alone(notWritable(error));
  } finally {
    removeScratchDirectory(scratch);
  }
}

async function examineWith(
  scratch: string,
  mark: string,
  directory: string,
  said: Partial<Settings>,
  options: DoctorOptions,
): Promise<Diagnosis> {
  const store = openStore(scratch, said.store ?? "auto");
  const settings = { ...defaultSettings(store.kind), ...said };
  const second = startPeer(scratch, options);
  try {
    const local = new LocalPeer(scratch, options.version);
    const task = { mark, store: settings.store };
    const greetings = { local: await local.greet(task), remote: await second.peer.greet(task) };
    const hosts = [greetings.local.host, greetings.remote.host];
    const greeted = judgeGreetings(greetings.local, greetings.remote);
    const first = greeted === undefined ? [] : [asFinding(greeted)];
    if (greeted?.stop) return { directory, hosts, findings: first };
    const findings = await examine({
      scratch,
      store,
      storeSetting: settings.store,
      settings,
      local,
      remote: second.peer,
      greetings,
      skew: await compareClocks(local, second.peer),
      signal: options.signal,
    });
    return { directory, hosts, findings: [...first, ...findings] };
  } finally {
    await second.end();
  }
}

/** Starts the second process, here or over ssh on another host. Both processes talk in JSON lines. */
function startPeer(scratch: string, { from, program, signal }: DoctorOptions) {
  const words = ["doctor", "--peer", scratch];
  const [command, ...args] =
    from === undefined
      ? [...program, ...words]
      : ["ssh", "--", from, ["fjord", ...words].map(shellQuote).join(" ")];
  const child = execa(command as string, args, {
    cwd: "/", // the current directory may be gone, and all paths are absolute
    stdin: "pipe",
    buffer: { stdout: false },
    reject: false,
  });
  const lost = child.then(({ stderr, originalMessage }) => {
    const lastLine = (stderr || (originalMessage ?? "")).split("\n").at(-1) ?? "";
    return new PeerLost(visible(lastLine));
  });
  const peer = new RemotePeer(child.stdin, child.stdout, lost);
  const kill = () => child.kill();
  signal.addEventListener("abort", kill, { once: true });
  return {
    peer,
    async end() {
      signal.removeEventListener("abort", kill);
      child.stdin.end();
      await child;
    },
  };
}

function settingsOf(directory: string): Partial<Settings> {
  const file = new Layout(directory).settings;
  return fs.existsSync(file) ? readSettings(file, fs.readFileSync(file)) : {};
}

function notWritable(error: unknown): Finding {
  if (!isSystemError(error)) throw error;
  return {
    test: "permissions",
    verdict: "bad",
    found: error.message,
    means: "this user cannot have a project here. Nothing else was tested",
  };
}

function peerMissing(error: PeerLost, from: string | undefined): Finding {
  return {
    test: from === undefined ? "second process" : "other host",
    verdict: "bad",
    found: `no fjord answers${from === undefined ? "" : ` on ${visible(from)}`}${error.message === "" ? "" : `: ${error.message}`}`,
    means:
      from === undefined
        ? "nothing was tested"
        : `nothing was tested. Try: ssh ${visible(from)} fjord --version`,
  };
}

function asFinding({ stop: _stop, ...finding }: Finding & { stop: boolean }): Finding {
  return finding;
}
