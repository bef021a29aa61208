import { expect } from "chai";
import { formatSize, parseSize } from "../../src/job/size.js";

describe("a size", () => {
  const texts: [bytes: number, text: string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [3_400_000, "3.4 MB"],
    [999_999, "1.0 MB"],
    [120e9, "120 GB"],
    [5e18, "5000 PB"],
  ];
  for (const [bytes, text] of texts) {
    it(`of ${bytes} bytes is written ${text}`, () => expect(formatSize(bytes)).to.equal(text));
  }

  const sizes: [text: string, bytes: number | undefined][] = [
    ["512", 512],
    ["512B", 512],
    ["3.4MB", 3_400_000],
    ["3.4 mb", 3_400_000],
    ["2G", 2e9],
    [".5k", 500],
    ["1.5GiB", 1.5 * 1024 ** 3],
    ["1Ki", 1024],
    ["1iB", undefined],
    ["-1", undefined],
    ["1e3", undefined],
    ["1 2", undefined],
    ["", undefined],
    ["GB", undefined],
  ];
  for (const [text, bytes] of sizes) {
    it(`written "${text}" is ${bytes ?? "refused"}`, () => expect(parseSize(text)).to.equal(bytes));
  }
});
