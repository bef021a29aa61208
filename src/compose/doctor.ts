import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { compareClocks } from "../doctor/clocks.js";
import { examine } from "../doctor/examine.js";
import type { Finding } from "../doctor/finding.js";
import { Here } from "../doctor/here.js";
import { makeScratch, removeScratch } from "../doctor/scratch.js";
import { judgeGreetings, SecondProcessLost } from "../doctor/second.js";
import { There } from "../doctor/there.js";
import { FjordError } from "../job/error.js";
import { quote, visible } from "../job/quote.js";
import { shellQuote } from "../job/shell-words.js";
import { Layout } from "../project/layout.js";
import { defaultSettings, readSettings, type Settings } from "../project/settings.js";
import { hostName } from "../spool/identity.js";
import { openStore } from "../spool/open-store.js";
import { isSystemError } from "../spool/store.js";

export interface DoctorOptions {
  /** The host that the second process runs on, over ssh; this one if not said. */
  readonly from?: string;
  readonly version: string;
  /** The words that start `fjord` on this host. */
  readonly program: readonly [string, ...string[]];
  /** Ends it early; what it has made is removed all the same. */
  readonly signal: AbortSignal;
}

export interface Diagnosis {
  readonly directory: string;
  /** This host, and that of the second process. */
  readonly hosts: readonly string[];
  readonly findings: readonly Finding[];
}

/**
 * Tests a directory from two processes.
 *
 * @throws FjordError `bad-project` when there is no such directory, `bad-settings`
 */
export async function diagnose(directory: string, options: DoctorOptions): Promise<Diagnosis> {
  if (!fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new FjordError(
      "bad-project",
      `There is no directory ${quote(directory)}.`,
      "Make it first, or name another one: fjord doctor DIR",
    );
  }
  const said = settingsOf(directory);
  const alone = (...findings: Finding[]): Diagnosis => ({ directory, hosts: [hostName()], findings });
  let scratch: string;
  try {
    scratch = makeScratch(directory);
  } catch (error) {
    return alone(nothingCanBeMade(error));
  }
  try {
    const mark = crypto.randomUUID();
    fs.writeFileSync(path.join(scratch, "mark"), mark);
    return await examineWith(scratch, mark, directory, said, options);
  } catch (error) {
    if (options.signal.aborted) throw error;
    if (error instanceof SecondProcessLost) return alone(noSecond(error, options.from));
    return alone(nothingCanBeMade(error));
  } finally {
    removeScratch(scratch);
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
  const second = startSecond(scratch, options);
  try {
    const here = new Here(scratch, options.version);
    const task = { mark, store: settings.store };
    const greetings = { here: await here.greet(task), there: await second.party.greet(task) };
    const hosts = [greetings.here.host, greetings.there.host];
    const greeted = judgeGreetings(greetings.here, greetings.there);
    const first = greeted === undefined ? [] : [withoutStop(greeted)];
    if (greeted?.stop) return { directory, hosts, findings: first };
    const findings = await examine({
      scratch,
      store,
      said: settings.store,
      settings,
      here,
      there: second.party,
      greetings,
      skew: await compareClocks(here, second.party),
      signal: options.signal,
    });
    return { directory, hosts, findings: [...first, ...findings] };
  } finally {
    await second.end();
  }
}

/** The same program on this host, or over ssh on another: it is asked in JSON lines. */
function startSecond(scratch: string, { from, program, signal }: DoctorOptions) {
  const peer = ["doctor", "--peer", scratch];
  const [command, ...args] =
    from === undefined
      ? [...program, ...peer]
      : ["ssh", "--", from, ["fjord", ...peer].map(shellQuote).join(" ")];
  const child = execa(command as string, args, { stdin: "pipe", buffer: { stdout: false }, reject: false });
  const lost = child.then(({ stderr, originalMessage }) => {
    const lastWords = (stderr || (originalMessage ?? "")).split("\n").at(-1) ?? "";
    return new SecondProcessLost(visible(lastWords));
  });
  const party = new There(child.stdin, child.stdout, lost);
  const kill = () => child.kill();
  signal.addEventListener("abort", kill, { once: true });
  return {
    party,
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

function nothingCanBeMade(error: unknown): Finding {
  if (!isSystemError(error)) throw error;
  return {
    test: "permissions",
    verdict: "bad",
    found: error.message,
    means: "no project can be here for this user; nothing else was tested",
  };
}

function noSecond(error: SecondProcessLost, from: string | undefined): Finding {
  return {
    test: from === undefined ? "second process" : "other host",
    verdict: "bad",
    found: `no fjord answers${from === undefined ? "" : ` on ${visible(from)}`}${error.message === "" ? "" : `: ${error.message}`}`,
    means:
      from === undefined
        ? "nothing was tested"
        : `nothing was tested; try: ssh ${visible(from)} fjord --version`,
  };
}

function withoutStop({ stop: _stop, ...finding }: Finding & { stop: boolean }): Finding {
  return finding;
}
