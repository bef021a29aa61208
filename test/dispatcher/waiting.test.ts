import { expect } from "chai";
import type { Waiting } from "../../src/dispatcher/line.js";
import { WaitingJobs } from "../../src/dispatcher/waiting.js";
import { type Demand, NO_DEMAND } from "../../src/job/demand.js";

describe("the waiting jobs", () => {
  const job = (file: string, priority = 0, demand = NO_DEMAND): Waiting => ({
    file,
    priority,
    demand,
    ino: file.length + 2 ** 40,
    mtimeMs: 1.5,
  });
  let jobs: WaitingJobs;
  beforeEach(() => {
    jobs = new WaitingJobs();
  });

  const take = () => jobs.take(() => true);

  function shiftAll(): string[] {
    const files: string[] = [];
    for (let next = take(); next !== undefined; next = take()) files.push(next.file);
    return files;
  }

  it("leave by priority, then in the order of arrival", () => {
    for (const [file, priority] of [
      ["a", 0],
      ["low", -1],
      ["b", 0],
      ["high", 7],
    ] as const) {
      jobs.push(job(file, priority));
    }
    expect(jobs.size).to.equal(4);
    expect([jobs.countFrom(8), jobs.countFrom(7), jobs.countFrom(0), jobs.countFrom(-1)]).to.deep.equal([
      0, 1, 3, 4,
    ]);
    expect(take()).to.deep.equal(job("high", 7));
    expect(jobs.has("high")).to.equal(false);
    expect(shiftAll()).to.deep.equal(["a", "b", "low"]);
    expect(jobs.size).to.equal(0);
  });

  it("exist once, however often they are added", () => {
    jobs.push(job("a"));
    jobs.push(job("a"));
    expect(shiftAll()).to.deep.equal(["a"]);
  });

  it("go to the front when they are put back", () => {
    jobs.push(job("b"));
    jobs.unshift(job("a"));
    const first = take() as Waiting;
    jobs.push(job("c"));
    jobs.unshift(first);
    expect(shiftAll()).to.deep.equal(["a", "b", "c"]);
  });

  it("leave when they are withdrawn, and may come back behind the others", () => {
    for (let n = 0; n < 10; n++) jobs.push(job(`j${n}`, n % 2));
    take();
    const out = jobs.takeOut((file) => Number(file.slice(1)) > 4);
    expect(out.map(({ file }) => file)).to.deep.equal(["j5", "j7", "j9", "j6", "j8"]);
    expect(out[0]).to.deep.equal(job("j5", 1));
    jobs.push(job("j8"));
    expect(shiftAll()).to.deep.equal(["j3", "j0", "j2", "j4", "j8"]);
  });

  it("stay in order when most of many have left", () => {
    const names = Array.from({ length: 5000 }, (_, n) => `j${n}`);
    for (const name of names) jobs.push(job(name));
    const first = Array.from({ length: 4000 }, () => (take() as Waiting).file);
    jobs.unshift(job("again"));
    expect(first).to.deep.equal(names.slice(0, 4000));
    expect(jobs.size).to.equal(1001);
    expect(shiftAll()).to.deep.equal(["again", ...names.slice(4000)]);
  });

  it("stay in order when each has a different priority and some come later", () => {
    for (let n = 0; n < 3000; n++) jobs.push(job(`j${n}`, (n * 7) % 3000));
    const first = Array.from({ length: 1000 }, () => (take() as Waiting).priority);
    expect(first).to.deep.equal(Array.from({ length: 1000 }, (_, n) => 2999 - n));
    expect(jobs.countFrom(1990)).to.equal(10);
    jobs.takeOut((file) => Number(file.slice(1)) % 2 === 0);
    expect(jobs.countFrom(-1)).to.equal(1000);
    jobs.push(job("urgent", 1e9));
    jobs.unshift(job("back", 1997));
    expect(take()?.file).to.equal("urgent");
    expect(take()?.priority).to.equal(1999);
    expect(take()?.file).to.equal("back");
    expect(take()?.priority).to.equal(1997);
  });

  it("go back to the front of a line from which no job was taken, and a whole line may leave", () => {
    for (let n = 0; n < 2500; n++) jobs.push(job(`j${n}`));
    for (const name of ["y", "x"]) jobs.unshift(job(name));
    expect(jobs.takeOut((file) => file.startsWith("j"))).to.have.length(2500);
    expect([jobs.size, jobs.countFrom(0)]).to.deep.equal([2, 2]);
    expect(shiftAll()).to.deep.equal(["x", "y"]);
    expect(take()).to.equal(undefined);
  });

  describe("with several demands", () => {
    const GPU: Demand = { key: "gpu" };
    const at = (file: string, mtimeMs: number, priority = 0, demand = NO_DEMAND): Waiting => {
      return { ...job(file, priority, demand), mtimeMs };
    };
    const needs = (wanted: Demand) => (demand: Demand) => demand.key === wanted.key;

    it("leave by priority and age, as if there were one demand", () => {
      for (const one of [
        at("b", 2, 0, GPU),
        at("a", 1),
        at("c", 3),
        at("e", 5),
        at("d", 4, 0, GPU),
        at("high", 9, 1, GPU),
      ]) {
        jobs.push(one);
      }
      expect(jobs.demands).to.deep.equal([
        { demand: GPU, count: 3 },
        { demand: NO_DEMAND, count: 3 },
      ]);
      expect(jobs.countFrom(0)).to.equal(6);
      expect(shiftAll()).to.deep.equal(["high", "a", "b", "c", "d", "e"]);
      expect(jobs.demands).to.deep.equal([]);
    });

    it("are passed over when their demand does not fit, and keep their turn", () => {
      for (const one of [at("x", 1, 5, GPU), at("a", 2), at("y", 3, 0, GPU), at("b", 4)]) jobs.push(one);
      expect(jobs.take(needs(NO_DEMAND))?.file).to.equal("a");
      const second = jobs.take(needs(NO_DEMAND)) as Waiting;
      expect(second.file).to.equal("b");
      expect(jobs.take(needs(NO_DEMAND))).to.equal(undefined);
      jobs.unshift(second);
      expect(jobs.take(needs(GPU))).to.deep.equal(at("x", 1, 5, GPU));
      expect(shiftAll()).to.deep.equal(["y", "b"]);
    });

    it("cause one question for each demand, for any number of waiting jobs", () => {
      for (let n = 0; n < 3000; n++) jobs.push(at(`j${n}`, n, n % 100, n % 3 === 0 ? GPU : NO_DEMAND));
      let asked = 0;
      const isNone = () => {
        asked++;
        return false;
      };
      expect(jobs.take(isNone)).to.equal(undefined);
      expect(asked).to.equal(2);
    });

    it("leave when they are withdrawn", () => {
      for (const one of [at("x", 1, 5, GPU), at("a", 2), at("b", 4)]) jobs.push(one);
      expect(jobs.takeOut((file) => file !== "b").map(({ file }) => file)).to.have.members(["x", "a"]);
      expect(jobs.demands).to.deep.equal([{ demand: NO_DEMAND, count: 1 }]);
    });
  });
});
