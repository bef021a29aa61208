import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Ledger } from "../../src/ledger/ledger.js";
import { type LedgerEvent, type LedgerLine, parseLedger } from "../../src/ledger/line.js";
import { LedgerReader } from "../../src/ledger/reader.js";
import { openStore } from "../../src/store/open-store.js";
import type { Appender, Store } from "../../src/store/store.js";

function event(worker: string): LedgerEvent {
  return { event: "left", worker, reason: "fired" };
}

function line(worker: string, v: number | string = 1): string {
  return `${JSON.stringify({ v, t: "2026-01-01T00:00:00.000Z", ...event(worker) })}\n`;
}

function workersOf(lines: readonly LedgerLine[]): string[] {
  return lines.map((one) => ("worker" in one ? one.worker : ""));
}

describe("parseLedger", () => {
  for (const [what, text, workers] of [
    ["nothing", "", []],
    ["whole lines", line("a") + line("b"), ["a", "b"]],
    ["a torn last line", line("a") + line("b").slice(0, 30), ["a"]],
    ["a last line that only lacks its newline", line("a") + line("b").trimEnd(), ["a"]],
    [
      "a torn line in the middle, as a crash leaves it",
      `${line("a") + line("b").slice(0, 30)}\n${line("c")}`,
      ["a", "c"],
    ],
    ["a line that was appended to a torn one", line("a").slice(0, 30) + line("b") + line("c"), ["c"]],
    ["blank lines", `\n\n${line("a")}\n\n`, ["a"]],
    ["lines of a later version", line("a", 2) + line("b") + line("c", "1"), ["b"]],
    [
      "lines that are JSON, but no event",
      `null\n5\n"x"\n[]\n{}\n{"v":1}\n{"v":1,"event":7}\n${line("a")}`,
      ["a"],
    ],
    [
      "NULs, as a crash of the system leaves them",
      `${line("a")}${"\0".repeat(100)}\n${line("b")}`,
      ["a", "b"],
    ],
  ] as const) {
    it(`reads ${what}`, () => {
      expect(workersOf(parseLedger(text))).to.deep.equal(workers);
    });
  }
});

describe("LedgerReader", () => {
  let file = "";

  beforeEach(() => {
    file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-")), "w.jsonl");
    fs.writeFileSync(file, "");
  });
  afterEach(() => fs.rmSync(path.dirname(file), { recursive: true }));

  async function read(reader: LedgerReader): Promise<string[]> {
    const lines: LedgerLine[] = [];
    for await (const one of reader.read()) lines.push(one);
    return workersOf(lines);
  }

  it("returns the lines that were added since the last read", async () => {
    const reader = new LedgerReader(file);
    expect(await read(reader)).to.deep.equal([]);
    fs.appendFileSync(file, line("a") + line("b"));
    expect(await read(reader)).to.deep.equal(["a", "b"]);
    expect(await read(reader)).to.deep.equal([]);
    fs.appendFileSync(file, line("c"));
    expect(await read(reader)).to.deep.equal(["c"]);
  });

  it("waits for the rest of a line, even one that is cut within a character", async () => {
    const reader = new LedgerReader(file);
    const bytes = Buffer.from(line("日本"));
    const cut = bytes.indexOf(Buffer.from("日")) + 1;
    fs.appendFileSync(file, bytes.subarray(0, cut));
    expect(await read(reader)).to.deep.equal([]);
    fs.appendFileSync(file, bytes.subarray(cut));
    expect(await read(reader)).to.deep.equal(["日本"]);
  });

  it("skips a torn line and continues after it", async () => {
    const reader = new LedgerReader(file);
    fs.appendFileSync(file, line("a").slice(0, 20));
    expect(await read(reader)).to.deep.equal([]);
    fs.appendFileSync(file, `\n${line("b")}`);
    expect(await read(reader)).to.deep.equal(["b"]);
  });

  it("reads megabytes, even if any character crosses the end of its buffer", async () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `ü${i}`);
    fs.writeFileSync(file, names.map((name) => line(name)).join(""));
    expect(await read(new LedgerReader(file))).to.deep.equal(names);
  });
});

describe("LedgerReader, for a line of megabytes,", () => {
  const MEGABYTE = 1 << 20;

  /** Reads a file that is served from memory, and counts the bytes that `Buffer.concat` copies. */
  async function joined(text: string): Promise<{ lines: string[]; copied: number }> {
    const bytes = Buffer.from(text);
    const store = { readFrom: async (_: string, at: number, most: number) => bytes.subarray(at, at + most) };
    const { concat } = Buffer;
    let copied = 0;
    Buffer.concat = ((list: readonly Uint8Array[]) => {
      const whole = concat(list);
      copied += whole.length;
      return whole;
    }) as typeof concat;
    try {
      const lines: LedgerLine[] = [];
      for await (const one of new LedgerReader("w.jsonl", 0, store).read()) lines.push(one);
      return { lines: workersOf(lines), copied };
    } finally {
      Buffer.concat = concat;
    }
  }

  it("copies each byte once", async () => {
    const long = "w".repeat(3 * MEGABYTE);
    const text = line("a") + line(long) + line("b");
    expect(await joined(text)).to.deep.equal({ lines: ["a", long, "b"], copied: text.length });
  });

  it("copies no byte of a line that is too long, and reads the next one", async () => {
    for (const megabytes of [8, 16]) {
      const { lines, copied } = await joined(line("a") + line("w".repeat(megabytes * MEGABYTE)) + line("b"));
      expect(lines).to.deep.equal(["a", "b"]);
      expect(copied).to.be.below(MEGABYTE);
    }
  });
});

describe("Ledger", () => {
  let dir = "";

  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
  });
  afterEach(() => fs.rmSync(dir, { recursive: true }));

  for (const kind of ["local", "network"] as const) {
    it(`appends versioned lines with their time, and continues the file when it is opened again (${kind})`, async () => {
      const file = path.join(dir, "w.jsonl");
      const before = new Date().toISOString();
      for (const worker of ["a", "b"]) {
        const ledger = await Ledger.open(openStore(dir, kind), file, true);
        await ledger.append(event(worker));
        await ledger.close();
      }
      const lines = parseLedger(fs.readFileSync(file, "utf8"));
      expect(workersOf(lines)).to.deep.equal(["a", "b"]);
      expect([before, lines[0]?.t, lines[1]?.t]).to.deep.equal([before, lines[0]?.t, lines[1]?.t].sort());
      expect(lines[0]?.v).to.equal(1);
    });
  }

  it("throws when a line was not written, and starts the next one on a new line", async () => {
    const file = path.join(dir, "w.jsonl");
    const store = openStore(dir, "local");
    const tearing = Object.create(store) as Store;
    let room = Number.POSITIVE_INFINITY;
    tearing.appender = async (path): Promise<Appender> => {
      const appender = await store.appender(path);
      return {
        append: async (text) => {
          await appender.append(text.slice(0, room));
          if (text.length > room) throw Object.assign(new Error("no room"), { code: "ENOSPC" });
        },
        flush: () => appender.flush(),
        close: () => appender.close(),
      };
    };
    const ledger = await Ledger.open(tearing, file, false);
    await ledger.append(event("a"));
    // The second write loses only the newline.
    for (const kept of [25, line("torn").length - 1]) {
      room = kept;
      let said = "";
      await ledger.append(event("torn")).catch((error: Error) => {
        said = error.message;
      });
      expect(said).to.equal("no room");
    }
    room = Number.POSITIVE_INFINITY;
    await ledger.append(event("b"));
    await ledger.append(event("c"));
    await ledger.close();
    expect(workersOf(parseLedger(fs.readFileSync(file, "utf8")))).to.deep.equal(["a", "b", "c"]);
  });

  it("begins a new line after the torn line of another writer", async () => {
    const file = path.join(dir, "ann@node7.jsonl");
    for (const kept of [30, line("torn").length - 1]) {
      fs.writeFileSync(file, line("a") + line("torn").slice(0, kept));
      for (const worker of ["b", "c"]) {
        const ledger = await Ledger.open(openStore(dir, "local"), file, false);
        await ledger.append(event(worker));
        await ledger.close();
      }
      const text = fs.readFileSync(file, "utf8");
      expect(workersOf(parseLedger(text))).to.deep.equal(["a", "b", "c"]);
      expect(text.split("\n")).to.have.length(5);
    }
  });

  it("records an outcome a second time when the first flush failed", async () => {
    const file = path.join(dir, "w.jsonl");
    const store = openStore(dir, "local");
    const failing = Object.create(store) as Store;
    let flushes = 0;
    failing.appender = async (path): Promise<Appender> => {
      const appender = await store.appender(path);
      const flush = async () => {
        if (flushes++ === 0) throw Object.assign(new Error("EIO"), { code: "EIO" });
      };
      return { append: (text) => appender.append(text), flush, close: () => appender.close() };
    };
    const ledger = await Ledger.open(failing, file, true);
    const lost: LedgerEvent = {
      event: "lost",
      job: "j",
      attempt: 1,
      worker: "w",
      reason: "",
      to: "jobqueue",
    };
    for (const isFirst of [true, false]) {
      const said = await ledger.append(lost).catch((error: Error) => error.message);
      expect(said).to.equal(isFirst ? "EIO" : undefined);
    }
    await ledger.close();
    expect(parseLedger(fs.readFileSync(file, "utf8"))).to.have.length(2);
  });

  it("opens its file again when the open file fails for good, as after sshfs has reconnected", async () => {
    const file = path.join(dir, "w.jsonl");
    const store = openStore(dir, "network");
    const reconnecting = Object.create(store) as Store;
    let isBroken = false;
    reconnecting.appender = async (path): Promise<Appender> => {
      const appender = await store.appender(path);
      let isOld = false;
      const unlessOld = (call: () => Promise<void>) => {
        isOld ||= isBroken;
        return isOld ? Promise.reject(Object.assign(new Error("EIO"), { code: "EIO" })) : call();
      };
      return {
        append: (text) => unlessOld(() => appender.append(text)),
        flush: () => unlessOld(() => appender.flush()),
        close: () => unlessOld(() => appender.close()),
      };
    };
    const ledger = await Ledger.open(reconnecting, file, true);
    await ledger.append(event("a"));
    isBroken = true;
    let failed = 0;
    for (let n = 0; n < 2; n++) await ledger.append(event("b")).catch(() => failed++);
    expect(failed).to.equal(2);
    isBroken = false;
    await ledger.append(event("b"));
    await ledger.close();
    expect(workersOf(parseLedger(fs.readFileSync(file, "utf8")))).to.deep.equal(["a", "b"]);
  });
});
