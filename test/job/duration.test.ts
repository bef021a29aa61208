import { expect } from "chai";
import { formatDuration, parseDuration } from "../../src/job/duration.js";

describe("parseDuration", () => {
  const durations: [text: string, seconds: number][] = [
    ["90", 90],
    ["0", 0],
    ["0.5", 0.5],
    [".5", 0.5],
    [" 90 ", 90],
    ["90s", 90],
    ["1.5h", 5400],
    ["1.1h", 3960],
    ["2h", 7200],
    ["2H", 7200],
    ["1h 30m", 5400],
    ["1h30m", 5400],
    ["1 h 30 min", 5400],
    ["2d", 172_800],
    ["1w", 604_800],
    ["1week", 604_800],
    ["2 Weeks 1 day", 1_296_000],
    ["36 hours", 129_600],
    ["1hour30minutes5secs", 5405],
    ["500ms", 0.5],
    ["1s500ms", 1.5],
    ["1d 2h 3m 4s 5ms", 93_784.005],
    ["01:30:00", 5400],
    ["100:00:01", 360_001],
    ["1:30", 90],
    ["90:00", 5400],
    ["1-02:00:00", 93_600],
    ["1-02:03", 93_780],
    ["1-02", 93_600],
    ["0-00:00:10", 10],
  ];
  for (const [text, seconds] of durations) {
    it(`reads ${JSON.stringify(text)} as ${seconds} seconds`, () => {
      expect(parseDuration(text)).to.equal(seconds);
    });
  }

  // biome-ignore format: a list
  const nonsense = [
    "", " ", "abc", "-1", "+1", "1e3", "0x10", "1,5h", "1.h", "h", "1h 30", "30m 1h", "1h 1h", "1m 1min", "1y", "1mo", "1weekday", "1days2weeks", "week",
    "1:60", "1:60:00", "1:00:60", "1:2:3:4", "1-24:00:00", "1-00:60:00", "1.5:00", "::", "1-", "Infinity", "NaN",
    "9".repeat(400), "1 0", "1h-1m", "10 s 5",
  ];
  for (const text of nonsense) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
      expect(parseDuration(text)).to.equal(undefined);
    });
  }

  it("takes linear time for every text", () => {
    const begin = process.cpuUsage();
    for (const text of [
      "1".repeat(100_000),
      "1 ".repeat(50_000),
      "1h".repeat(50_000),
      "1s ".repeat(30_000),
    ]) {
      expect(parseDuration(`${text}x`)).to.equal(undefined);
    }
    expect(process.cpuUsage(begin).user / 1000, "milliseconds").to.be.lessThan(2000);
  });
});

describe("formatDuration", () => {
  const texts: [seconds: number, text: string][] = [
    [0, "0 s"],
    [0.0001, "1 ms"],
    [0.04, "40 ms"],
    [0.4, "0.4 s"],
    [1, "1 s"],
    [9.94, "9.9 s"],
    [9.96, "10 s"],
    [12, "12 s"],
    [59.4, "59 s"],
    [59.6, "1 min"],
    [200, "3 min 20 s"],
    [3599.6, "1 h"],
    [7200, "2 h"],
    [7500, "2 h 5 min"],
    [7529, "2 h 5 min"],
    [7531, "2 h 6 min"],
    [86_399, "1 d"],
    [273_600, "3 d 4 h"],
    [-200, "-3 min 20 s"],
    [Number.POSITIVE_INFINITY, "unknown"],
    [Number.NaN, "unknown"],
  ];
  for (const [seconds, text] of texts) {
    it(`writes ${seconds} seconds as ${text}`, () => {
      expect(formatDuration(seconds)).to.equal(text);
    });
  }

  it("writes texts that parseDuration reads as the same value", () => {
    for (const seconds of [0, 0.04, 0.4, 12, 200, 7500, 273_600]) {
      expect(parseDuration(formatDuration(seconds))).to.equal(seconds);
    }
  });
});
