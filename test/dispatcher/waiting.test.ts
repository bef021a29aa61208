import { expect } from "chai";
import { type Waiting, WaitingJobs } from "../../src/dispatcher/waiting.js";

describe("the jobs that wait", () => {
  const job = (file: string, priority = 0): Waiting => ({
    file,
    priority,
    ino: file.length + 2 ** 40,
    mtimeMs: 1.5,
  });
  let jobs: WaitingJobs;
  beforeEach(() => {
    jobs = new WaitingJobs();
  });

  function shiftAll(): string[] {
    const files: string[] = [];
    for (let next = jobs.shift(); next !== undefined; next = jobs.shift()) files.push(next.file);
    return files;
  }

  it("come by priority, then as they came, as they were", () => {
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
    expect(jobs.shift()).to.deep.equal(job("high", 7));
    expect(jobs.has("high")).to.equal(false);
    expect(shiftAll()).to.deep.equal(["a", "b", "low"]);
    expect(jobs.size).to.equal(0);
  });

  it("are there once, however often they are named", () => {
    jobs.push(job("a"));
    jobs.push(job("a"));
    expect(shiftAll()).to.deep.equal(["a"]);
  });

  it("go to the front when they are put back", () => {
    jobs.push(job("b"));
    jobs.unshift(job("a"));
    const first = jobs.shift() as Waiting;
    jobs.push(job("c"));
    jobs.unshift(first);
    expect(shiftAll()).to.deep.equal(["a", "b", "c"]);
  });

  it("leave when they are unwanted, and may come back behind the others", () => {
    for (let n = 0; n < 10; n++) jobs.push(job(`j${n}`, n % 2));
    jobs.shift();
    const out = jobs.takeOut((file) => Number(file.slice(1)) > 4);
    expect(out.map(({ file }) => file)).to.deep.equal(["j5", "j7", "j9", "j6", "j8"]);
    expect(out[0]).to.deep.equal(job("j5", 1));
    jobs.push(job("j8"));
    expect(shiftAll()).to.deep.equal(["j3", "j0", "j2", "j4", "j8"]);
  });

  it("are in order when most of many have gone", () => {
    const names = Array.from({ length: 5000 }, (_, n) => `j${n}`);
    for (const name of names) jobs.push(job(name));
    const first = Array.from({ length: 4000 }, () => (jobs.shift() as Waiting).file);
    jobs.unshift(job("again"));
    expect(first).to.deep.equal(names.slice(0, 4000));
    expect(jobs.size).to.equal(1001);
    expect(shiftAll()).to.deep.equal(["again", ...names.slice(4000)]);
  });

  it("are in order when each has a priority of its own, and some come later", () => {
    for (let n = 0; n < 3000; n++) jobs.push(job(`j${n}`, (n * 7) % 3000));
    const first = Array.from({ length: 1000 }, () => (jobs.shift() as Waiting).priority);
    expect(first).to.deep.equal(Array.from({ length: 1000 }, (_, n) => 2999 - n));
    expect(jobs.countFrom(1990)).to.equal(10);
    jobs.takeOut((file) => Number(file.slice(1)) % 2 === 0);
    expect(jobs.countFrom(-1)).to.equal(1000);
    jobs.push(job("urgent", 1e9));
    jobs.unshift(job("back", 1997));
    expect(jobs.shift()?.file).to.equal("urgent");
    expect(jobs.shift()?.priority).to.equal(1999);
    expect(jobs.shift()?.file).to.equal("back");
    expect(jobs.shift()?.priority).to.equal(1997);
  });

  it("go back to the front where nothing was taken from, and a whole line may leave", () => {
    for (let n = 0; n < 2500; n++) jobs.push(job(`j${n}`));
    for (const name of ["y", "x"]) jobs.unshift(job(name));
    expect(jobs.takeOut((file) => file.startsWith("j"))).to.have.length(2500);
    expect([jobs.size, jobs.countFrom(0)]).to.deep.equal([2, 2]);
    expect(shiftAll()).to.deep.equal(["x", "y"]);
    expect(jobs.shift()).to.equal(undefined);
  });
});
