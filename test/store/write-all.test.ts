import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { openStore } from "../../src/store/open-store.js";
import { isFull } from "../../src/store/store.js";

type Numbers = [offset: number, length: number, position: number | null];
type Write = (bytes: Uint8Array, ...rest: Numbers) => Promise<{ bytesWritten: number }>;

const TEXT = "a line that is longer than what is taken at once\n";

describe("a write that the system takes only in part", () => {
  const { writeSync } = fs;
  let dir: string;
  let file: string;
  let prototype: { write: Write };
  let write: Write;
  /** Largest number of bytes that one call takes. */
  let most: number;

  before(async () => {
    const handle = await fs.promises.open("/dev/null");
    prototype = Object.getPrototypeOf(handle);
    write = prototype.write;
    await handle.close();
  });
  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-test-"));
    file = path.join(dir, "file");
    most = 7;
    const less = ([offset, length, position]: Numbers): Numbers => [offset, Math.min(most, length), position];
    fs.writeSync = ((fd: number, bytes: Uint8Array, ...rest: Numbers) =>
      writeSync(fd, bytes, ...less(rest))) as typeof writeSync;
    prototype.write = function (this: unknown, bytes, ...rest) {
      return write.call(this, bytes, ...less(rest));
    };
  });
  afterEach(() => {
    fs.writeSync = writeSync;
    prototype.write = write;
    fs.rmSync(dir, { recursive: true });
  });

  for (const kind of ["local", "network"] as const) {
    it(`goes on with the rest (${kind})`, async () => {
      const store = openStore(dir, kind);
      const appender = await store.appender(file);
      for (const _ of [1, 2]) await appender.append(TEXT);
      await appender.close();
      expect(fs.readFileSync(file, "utf8")).to.equal(TEXT + TEXT);
      await store.overwrite(file, "short");
      expect(fs.readFileSync(file, "utf8").trimEnd()).to.equal("short");
      await store.overwrite(file, TEXT.toUpperCase());
      expect(fs.readFileSync(file, "utf8").trimEnd()).to.equal(TEXT.toUpperCase().trimEnd());
      await store.write(file, TEXT);
      expect(fs.readFileSync(file, "utf8")).to.equal(TEXT);
    });

    it(`counts as a full disk when the system takes nothing (${kind})`, async () => {
      most = 0;
      const appender = await openStore(dir, kind).appender(file);
      const error = await appender.append(TEXT).catch((said) => said);
      await appender.close();
      expect(isFull(error)).to.equal(true);
    });
  }
});
