import { expect } from "chai";
import { RollCall, type Sighting } from "../../src/dispatcher/roll-call.js";

const BEAT = 2;
const LOOKS = 5;

function seen(worker: string, beat: number, liveness: Sighting["liveness"] = "unknown"): Sighting {
  return { worker, beat, liveness };
}

function names(lost: readonly { worker: string }[]): string[] {
  return lost.map(({ worker }) => worker);
}

describe("the roll call", () => {
  let roll = new RollCall(BEAT, LOOKS);
  beforeEach(() => {
    roll = new RollCall(BEAT, LOOKS);
  });

  /** Calls the roll once a beat, and returns the workers that were lost at each call. */
  function calls(times: number, from: number, sightings: (call: number) => Sighting[]): string[][] {
    return Array.from({ length: times }, (_, i) => names(roll.call(sightings(i), from + i * BEAT)));
  }

  it("loses no worker whose heartbeat advances", () => {
    const lost = calls(100, 0, (i) => [seen("a", i), seen("b", i * 3, "alive")]);
    expect(lost.flat()).to.deep.equal([]);
  });

  it("declares a worker lost when its heartbeat has not moved over K looks, and not before", () => {
    const lost = calls(LOOKS + 1, 0, () => [seen("a", 7)]);
    expect(lost).to.deep.equal([[], [], [], [], [], ["a"]]);
  });

  it("gives the reason", () => {
    calls(LOOKS, 0, () => [seen("a", 7)]);
    const [lost] = roll.call([seen("a", 7)], LOOKS * BEAT);
    expect(lost?.reason).to.equal("its heartbeat has not moved over 5 looks, 2 s apart");
    const [dead] = roll.call([seen("b", 1, "dead")], 100);
    expect(dead?.reason).to.equal("its process is dead");
  });

  it("does not count looks that are less than a beat apart", () => {
    for (let i = 0; i < 100; i++) expect(roll.call([seen("a", 7)], i * 0.01)).to.deep.equal([]);
    expect(roll.unmovedLooks("a")).to.equal(0);
  });

  it("counts a look from its end, because the store may have stalled before it read the counter", () => {
    roll.call([seen("a", 7)], 0, 1.5 * BEAT);
    const lost = calls(LOOKS + 1, 2 * BEAT, () => [seen("a", 7)]);
    expect(lost).to.deep.equal([[], [], [], [], [], ["a"]]);
  });

  it("counts from the end of one look to the start of the next, because the facts may be as old as the look is long", () => {
    roll.call([seen("a", 7)], 0, BEAT / 2);
    expect(names(roll.call([seen("a", 7)], BEAT, BEAT))).to.deep.equal([]);
    expect(roll.unmovedLooks("a")).to.equal(0);
    roll.call([seen("a", 7)], BEAT * 1.5, BEAT * 1.5);
    expect(roll.unmovedLooks("a")).to.equal(1);
  });

  it("counts a long time without a look once, because the observer was away", () => {
    roll.call([seen("a", 7)], 0);
    expect(names(roll.call([seen("a", 7)], 3600))).to.deep.equal([]);
    expect(roll.unmovedLooks("a")).to.equal(1);
  });

  it("counts from zero when the counter moves in either direction", () => {
    calls(LOOKS, 0, () => [seen("a", 7)]);
    expect(roll.unmovedLooks("a")).to.equal(LOOKS - 1);
    expect(names(roll.call([seen("a", 6)], 100))).to.deep.equal([]);
    expect(roll.unmovedLooks("a")).to.equal(0);
    expect(
      calls(LOOKS, 102, () => [seen("a", 6)])
        .slice(0, -1)
        .flat(),
    ).to.deep.equal([]);
  });

  it("counts from zero for a worker that left and came back", () => {
    calls(LOOKS, 0, () => [seen("a", 7)]);
    roll.call([], 50);
    expect(names(roll.call([seen("a", 7)], 100))).to.deep.equal([]);
    expect(roll.unmovedLooks("a")).to.equal(0);
  });

  it("declares a worker lost at once when its process is dead, even if its counter has just moved", () => {
    expect(names(roll.call([seen("a", 1, "dead"), seen("b", 1)], 0))).to.deep.equal(["a"]);
  });

  it("declares a worker lost even if its process lives, when it is silent, because the process may be stopped", () => {
    expect(calls(LOOKS + 1, 0, () => [seen("a", 7, "alive")]).at(-1)).to.deep.equal(["a"]);
  });

  it("declares a desk without an announcement lost after the same time", () => {
    expect(calls(LOOKS + 1, 0, () => [seen("a", -1)])).to.deep.equal([[], [], [], [], [], ["a"]]);
  });

  it("suspects an error of its own when there are three or more workers and most are silent at once, and gives them K more looks", () => {
    const lost = calls(2 * LOOKS + 1, 0, (i) => [seen("a", 1), seen("b", 1), seen("c", i)]);
    expect(lost.slice(0, -1).flat()).to.deep.equal([]);
    expect(lost.at(-1)).to.deep.equal(["a", "b"]);
  });

  it("does not suspect an error of its own when half of the workers are silent, or when there are only two", () => {
    const half = calls(LOOKS + 1, 0, (i) => [seen("a", 1), seen("b", 1), seen("c", i), seen("d", i)]);
    expect(half.at(-1)).to.deep.equal(["a", "b"]);
    roll = new RollCall(BEAT, LOOKS);
    expect(calls(LOOKS + 1, 0, () => [seen("a", 1), seen("b", 1)]).at(-1)).to.deep.equal(["a", "b"]);
  });

  it("does not suspect an error of its own when it has seen that the processes are dead", () => {
    const all = ["a", "b", "c", "d"].map((worker) => seen(worker, 1, "dead"));
    expect(names(roll.call(all, 0))).to.deep.equal(["a", "b", "c", "d"]);
  });
});
