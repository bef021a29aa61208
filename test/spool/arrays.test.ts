import fs from "node:fs";
import { expect } from "chai";
import { Arrays } from "../../src/dispatcher/arrays.js";
import { defaultSettings } from "../../src/project/settings.js";
import { readArray } from "../../src/spool/array-parts.js";
import {
  adoptArrays,
  beginArray,
  changeParts,
  expandPart,
  mendArray,
  removeArray,
  sendOut,
} from "../../src/spool/arrays.js";
import { stampAt } from "../../src/spool/finish.js";
import type { Store } from "../../src/spool/store.js";
import { Dice, SEED } from "../faults/harness.js";
import { Actor, absent, DEATHS, dieAt, filling, numbersFrom, Site } from "./array-site.js";

/** Schedules for each pair; FJORD_SCHEDULES=all takes every one, or so many that it takes minutes. */
const SAMPLE = process.env.FJORD_SCHEDULES === "all" ? 8000 : 150;

const NUMBERS = numbersFrom(1, 8);
const isEven = (number: number) => number % 2 === 0;
const isMiddle = (number: number) => number >= 3 && number <= 6;
const isAny = () => true;

/** What somebody does with the array, until he has done it or is killed. */
interface Deed {
  readonly name: string;
  readonly run: (site: Site, store: Store) => Promise<unknown>;
}

function dispatches(block: number): Deed {
  return { name: `dispatches, ${block} at a time`, run: (site, store) => site.dispatch(block, store) };
}

const HOLDS: Deed = {
  name: "holds the middle",
  run: (site, store) => site.change(["waiting"], "held", isMiddle, store),
};
const CANCELS: Deed = {
  name: "cancels the even ones",
  run: (site, store) => site.change(["waiting", "held"], "cancelled", isEven, store),
};
const RELEASES: Deed = {
  name: "holds the middle and releases it",
  run: async (site, store) => {
    await HOLDS.run(site, store);
    await site.change(["held"], "waiting", isAny, store);
  },
};
const RETRIES: Deed = {
  name: "cancels all and puts back the middle, and then all",
  run: async (site, store) => {
    await site.change(["waiting", "held"], "cancelled", isAny, store);
    await site.change(["cancelled"], "waiting", isMiddle, store);
    await site.change(["cancelled"], "waiting", isAny, store);
  },
};
const BEGINS_AND_HOLDS: Deed = {
  name: "begins it and holds the middle",
  run: async (site, store) => {
    await site.begin(store);
    await HOLDS.run(site, store);
  },
};
const DOES_ALL: Deed = {
  name: "holds, cancels, dispatches, releases, puts back and dispatches",
  run: async (site, store) => {
    await site.begin(store);
    await HOLDS.run(site, store);
    await CANCELS.run(site, store);
    await site.dispatch(2, store);
    await site.change(["held"], "waiting", isAny, store);
    await site.change(["cancelled"], "waiting", (number) => number > 3, store);
    await site.dispatch(2, store);
  },
};

/** An array that lies in the queue. */
async function queued(): Promise<Site> {
  const site = new Site();
  site.submit("1-8");
  return site;
}

/** One that has begun, and has no job yet. */
async function begun(): Promise<Site> {
  const site = await queued();
  await site.begin();
  return site;
}

/** One that is over, with a number that was cancelled, and another of its name in the queue. */
async function over(): Promise<Site> {
  const site = new Site();
  site.submit("1-3", "one");
  await site.begin();
  await site.change(["waiting"], "cancelled", (number) => number === 3);
  await site.settle(2);
  site.submit("1-4", "two");
  return site;
}

/** Tells what was done where it fails. */
async function saying(what: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (error instanceof Error) error.message = `${what}, seed ${SEED}\n${error.message}`;
    throw error;
  }
}

describe("an array", () => {
  let site: Site;
  beforeEach(async () => {
    site = await begun();
  });
  afterEach(() => site[Symbol.dispose]());

  const view = async (of = site) => {
    const found = await readArray(of.store, of.layout, "A");
    if (found === undefined) throw new Error(`no array\n${of.tree()}`);
    return found;
  };
  const parts = async () => (await view()).parts.map(({ entry }) => entry);
  const inQueue = () => fs.readdirSync(site.layout.jobqueue).sort();
  const expand = async (count: number, of = site) => {
    const { store, layout } = of;
    const stamp = (await stampAt(store, layout.arrayFile("A"))) ?? "";
    const textOf = (number: number) => `[control]\nexecutable = echo one ${number}\n`;
    const [part] = (await view(of)).parts;
    if (part === undefined) throw new Error("no part");
    return expandPart(store, layout, { name: "A", stamp, textOf }, part, count, true);
  };
  const send = async () => {
    let left = 0;
    for (const out of (await view()).outgoing) left += await sendOut(site.store, site.layout, "A", out);
    return left;
  };

  it("begins with a part for each range, out of the queue", async () => {
    using other = new Site();
    other.submit("1-10:3,20,30-40");
    expect(await other.begin()).to.equal("begun");
    expect(other.tree()).to.equal(["A", "A/1-10:3", "A/20", "A/30-40", "A/array.ini"].join("\n"));
    expect(fs.readdirSync(other.layout.jobqueue)).to.deep.equal([]);
  });

  it("is not there when its file is gone", async () => {
    using other = new Site();
    expect(await other.begin()).to.equal("gone");
    expect(other.tree()).to.equal("");
  });

  it("waits while one of its name is not over, and takes its place then", async () => {
    site.submit("1-2", "two");
    expect(await site.begin()).to.equal("name-taken");
    expect(inQueue()).to.deep.equal(["A.ini"]);
    await site.change(["waiting"], "cancelled", isAny);
    expect(await site.begin()).to.equal("begun");
    expect(await parts()).to.deep.equal(["1-2"]);
    expect(site.litter()).to.deep.equal([]);
  });

  it("has the ranges of the file that lies in the queue at last", async () => {
    using other = new Site();
    other.submit("1-100");
    other.submit("5-6");
    await other.begin();
    expect(other.left()).to.deep.equal(["waiting.5", "waiting.6"]);
  });

  it("is none when another file has taken its place in the queue", async () => {
    using other = new Site();
    const text = "[control]\nexecutable = true\n";
    fs.writeFileSync(other.layout.queued("A.ini"), text);
    expect(await other.begin()).to.equal("gone");
    expect(fs.readFileSync(other.layout.queued("A.ini"), "utf8")).to.equal(text);
    expect(other.litter()).to.deep.equal([]);
  });

  it("sends the first of its numbers to the queue, and keeps the rest", async () => {
    expect(await expand(3)).to.equal(true);
    expect((await view()).outgoing).to.have.length(1);
    expect((await view()).outgoing[0]?.files).to.deep.equal(["A_1.ini", "A_2.ini", "A_3.ini"]);
    expect(await send()).to.equal(0);
    expect(inQueue()).to.deep.equal(["A_1.ini", "A_2.ini", "A_3.ini"]);
    expect(await parts()).to.deep.equal(["4-8"]);
    expect(site.litter()).to.deep.equal([]);
    expect(await expand(100)).to.equal(true);
    await send();
    expect(inQueue()).to.have.length(8);
    expect(site.tree()).to.equal("A\nA/array.ini");
  });

  it("gives its jobs the order of their numbers, as whole files", async () => {
    await expand(8);
    await send();
    const stats = inQueue().map((file) => fs.statSync(site.layout.queued(file)));
    const times = stats.map(({ mtimeMs }) => mtimeMs);
    expect(times).to.deep.equal([...times].sort((a, b) => a - b));
    for (const { ctimeMs, mtimeMs } of stats) expect(ctimeMs - mtimeMs).to.be.above(500);
  });

  it("keeps a job whose name is taken in the queue, until it is free", async () => {
    fs.writeFileSync(site.layout.queued("A_2.ini"), "mine");
    await expand(3);
    expect(await send()).to.equal(1);
    expect(fs.readFileSync(site.layout.queued("A_2.ini"), "utf8")).to.equal("mine");
    expect((await view()).outgoing[0]?.files).to.deep.equal(["A_2.ini"]);
    fs.unlinkSync(site.layout.queued("A_2.ini"));
    expect(await send()).to.equal(0);
    expect(fs.readFileSync(site.layout.queued("A_2.ini"), "utf8")).to.include("echo one 2");
    expect(site.litter()).to.deep.equal([]);
  });

  it("makes no jobs of a part that is another's by now, and none of another array's file", async () => {
    const [part] = (await view()).parts;
    if (part === undefined) throw new Error("no part");
    const stamp = (await stampAt(site.store, site.layout.arrayFile("A"))) ?? "";
    const textOf = () => "";
    await site.change(["waiting"], "held", isEven);
    expect(await expandPart(site.store, site.layout, { name: "A", stamp, textOf }, part, 2, false)).to.equal(
      false,
    );
    const source = { name: "A", stamp: `${stamp}0`, textOf };
    const there = (await view()).parts.find(({ kind }) => kind === "waiting");
    if (there === undefined) throw new Error("no part");
    expect(await expandPart(site.store, site.layout, source, there, 1, false)).to.equal(false);
    await site.settle(3);
    expect(site.left()).to.deep.equal(["held.2", "held.4", "held.6", "held.8"]);
  });

  it("lets numbers be held, released, cancelled and put back, and tells which have changed", async () => {
    expect(await site.change(["waiting"], "held", isMiddle)).to.deep.equal([3, 4, 5, 6]);
    expect(await parts()).to.deep.equal(["1-2", "held.3-6", "7-8"]);
    expect(await site.change(["waiting", "held"], "cancelled", isEven)).to.deep.equal([2, 4, 6, 8]);
    expect(await site.change(["held"], "waiting", (number) => number === 3)).to.deep.equal([3]);
    expect(await parts()).to.deep.equal([
      "1",
      "cancelled.2",
      "3",
      "cancelled.4",
      "held.5",
      "cancelled.6",
      "7",
      "cancelled.8",
    ]);
    expect(await site.change(["cancelled"], "held", (number) => number === 1)).to.deep.equal([]);
    expect(await site.change(["cancelled", "held"], "waiting", isAny)).to.deep.equal([2, 4, 5, 6, 8]);
    expect(site.litter()).to.deep.equal([]);
    await site.settleAll(3, NUMBERS);
    expect(site.made).to.have.length(8);
  });

  it("lets a whole part be changed by its name alone, and several at once", async () => {
    await expand(2);
    await site.change(["waiting"], "held", isAny);
    expect(await parts()).to.deep.equal(["held.3-8"]);
    expect(await send()).to.equal(0);
    expect(await changeParts(site.store, site.layout, "B", new Set(["waiting"]), "held")).to.deep.equal([]);
  });

  it("loses nothing while its directory is away for a moment", async () => {
    for (const [methods, times] of [
      [["rename"], 99],
      [["rename", "rmdir"], 3],
      [["rename", "rmdir"], 4],
      [["rmdir"], 1],
      [["list"], 1],
      [["list", "rename"], 5],
    ] as const) {
      using other = await begun();
      const { layout } = other;
      const away = () => absent(other, methods, times);
      await expand(3, other);
      for (const out of (await view(other)).outgoing) await sendOut(away(), layout, "A", out);
      await other.change(["waiting"], "held", isMiddle, away());
      await mendArray(away(), layout, await view(other));
      await other.dispatch(3, away());
      other.takeJobs();
      await saying(`${methods}, ${times} times`, () => other.settleAll(2, NUMBERS));
    }
  });

  it("comes after the next one of its name, should that have taken its place", async () => {
    fs.renameSync(site.layout.array("A"), site.layout.oldArray("A", "x"));
    site.submit("1-4", "two");
    await site.begin();
    await site.settle(3);
    const made = (word: string, to: number) => numbersFrom(1, to).map((number) => `${word} ${number}`);
    expect(site.made.sort()).to.deep.equal([...made("one", 8), ...made("two", 4)]);
  });

  it("has parts whose numbers lie between one another", async () => {
    using other = new Site();
    other.submit("1-19:2,2-18:2,20-40:5");
    await other.begin();
    const isMeant = (number: number) => number > 6 && number < 30 && number !== 11;
    const numbers = [...numbersFrom(1, 20), 25, 30, 35, 40];
    expect((await other.change(["waiting"], "held", isMeant)).sort((a, b) => a - b)).to.deep.equal(
      numbers.filter(isMeant),
    );
    expect(other.left().sort()).to.deep.equal(
      numbers.map((number) => `${isMeant(number) ? "held" : "waiting"}.${number}`).sort(),
    );
    await other.change(["held"], "waiting", (number) => number % 3 > 0);
    await other.settleAll(4, numbers);
  });

  it("leaves nothing half made on a full disk, and goes on when there is room", async () => {
    for (let room = 0; room < 8; room++) {
      for (const run of [
        () => site.dispatch(6, filling(site.store, room)),
        () => site.change(["waiting"], "held", isEven, filling(site.store, room % 3)),
      ]) {
        const error = await run().catch((error: unknown) => error);
        expect(error).to.have.property("code", "ENOSPC");
        expect(site.tree()).to.equal("A\nA/1-8\nA/array.ini");
      }
    }
    await site.settleAll(6, NUMBERS);
  });

  it("does not go on for ever where somebody's own directory is in the way", async () => {
    fs.mkdirSync(site.layout.inArray("A", "held.3-6", "mine"), { recursive: true });
    await site.change(["waiting"], "held", isMiddle);
    const found = await view();
    expect(found.splits).to.have.length(1);
    expect(await mendArray(site.store, site.layout, found)).to.equal(false);
    fs.rmdirSync(site.layout.inArray("A", "held.3-6", "mine"));
    expect(await mendArray(site.store, site.layout, found)).to.equal(true);
    await site.settleAll(2, NUMBERS);
  });

  it("stands still while its file is no good, and goes on when that has been put right in its place", async () => {
    const file = site.layout.arrayFile("A");
    const text = fs.readFileSync(file, "utf8");
    const troubles: string[] = [];
    const { store, layout } = site;
    const arrays = new Arrays(store, layout, defaultSettings("local"), {
      onTrouble: (message) => troubles.push(message),
      onCancelled: () => undefined,
    });
    for (const broken of [text.replace("range", "rang"), "[control]\nexecutable = x\n"]) {
      fs.writeFileSync(file, broken);
      for (let looks = 0; looks < 3; looks++) await arrays.look();
      expect(await arrays.feed(5, { readyFrom: () => 0 })).to.equal(false);
    }
    expect(troubles).to.have.length(2);
    expect(troubles[0]).to.include('key "rang": is not a key of this section').and.include("fjord cancel A");
    expect(troubles[1]).to.include("is no array any more");
    fs.writeFileSync(file, text);
    await arrays.look();
    expect(await arrays.feed(5, { readyFrom: () => 0 })).to.equal(true);
    await site.settleAll(3, NUMBERS);
  });

  it("makes its jobs of its own file, not of that of one of its name before it", async () => {
    const { store, layout } = site;
    const arrays = new Arrays(store, layout, defaultSettings("local"), {
      onTrouble: (message) => expect.fail(message),
      onCancelled: () => undefined,
    });
    await arrays.look();
    await site.change(["waiting"], "cancelled", isAny);
    site.submit("1-8", "two");
    await site.begin();
    expect(await arrays.feed(5, { readyFrom: () => 0 })).to.equal(false);
    await arrays.look();
    expect(await arrays.feed(5, { readyFrom: () => 0 })).to.equal(true);
    site.takeJobs();
    expect(site.made.sort()).to.deep.equal(numbersFrom(1, 5).map((number) => `two ${number}`));
  });

  it("is removed when it is over, and not before", async () => {
    expect(await removeArray(site.store, site.layout, "A")).to.equal(false);
    await site.change(["waiting"], "held", isAny);
    expect(await removeArray(site.store, site.layout, "A")).to.equal(false);
    await site.change(["held"], "cancelled", isAny);
    expect(await removeArray(site.store, site.layout, "A")).to.equal(true);
    expect(site.tree()).to.equal("");
    expect(await removeArray(site.store, site.layout, "A")).to.equal(true);
  });

  it("comes back to its place, whatever its directory was called when somebody was killed", async () => {
    const { store, layout } = site;
    fs.renameSync(layout.array("A"), layout.oldArray("A", "x"));
    fs.mkdirSync(layout.newArray("B", "y"));
    fs.mkdirSync(layout.newArray("C.d", "z"));
    fs.writeFileSync(
      layout.arrayFileIn(layout.newArray("C.d", "z")),
      "[control]\nexecutable = x\n[array]\nrange = 7\n",
    );
    await adoptArrays(store, layout);
    expect(site.tree()).to.equal(["A", "A/1-8", "A/array.ini", "C.d", "C.d/7", "C.d/array.ini"].join("\n"));
    expect(await beginArray(store, layout, "B.ini")).to.equal("gone");
  });
});

describe("an array whose people are killed", function () {
  this.timeout(SAMPLE > 1000 ? 600_000 : 60_000);
  this.slow(10_000);
  let dice: Dice;
  before(() =>
    console.log(`    seed ${SEED}, ${SAMPLE} schedules each (FJORD_TEST_SEED, FJORD_SCHEDULES=all)`),
  );
  beforeEach(() => {
    dice = new Dice(SEED);
  });

  /** Kills somebody at each of his calls, before it, amid it or after it. */
  async function atEachCall(
    make: () => Promise<Site>,
    run: Deed["run"],
    check: (site: Site, what: string) => Promise<void>,
  ): Promise<void> {
    let deaths = 0;
    for (let n = 1, isAlive = false; !isAlive; n++) {
      for (const how of DEATHS) {
        const what = `killed ${how} call ${n}`;
        using site = await make();
        isAlive = !(await dieAt(
          site.store,
          n,
          how,
          (store) => run(site, store),
          (method) => site.takeJobs(method),
        ));
        if (!isAlive) deaths++;
        await saying(what, () => check(site, what));
      }
    }
    expect(deaths).to.be.above(20);
  }

  for (const deed of [dispatches(3), dispatches(1), DOES_ALL]) {
    it(`somebody who ${deed.name}, and who comes next takes more at a time, or fewer`, async () => {
      for (const block of SAMPLE > 1000 ? [1, 2, 3, 5, 8] : [dice.pick([1, 2]), dice.pick([5, 8])]) {
        await atEachCall(queued, deed.run, (site) => site.settleAll(block, NUMBERS));
      }
    });
  }

  it("one after the other", async () => {
    for (let turn = 0; turn < Math.min(SAMPLE, 3000); turn++) {
      using site = await queued();
      let what = `turn ${turn}:`;
      for (let deaths = 0; deaths < 4; deaths++) {
        const deed = dice.pick([dispatches(1), dispatches(2), dispatches(5), DOES_ALL, RELEASES, RETRIES]);
        const [n, how] = [Math.floor(dice.between(1, 60)), dice.pick(DEATHS)];
        what += ` ${deed.name}, killed ${how} ${n};`;
        await dieAt(
          site.store,
          n,
          how,
          (store) => deed.run(site, store),
          (method) => site.takeJobs(method),
        );
      }
      await saying(what, () => site.settleAll(dice.pick([1, 2, 3, 8]), NUMBERS));
    }
  });

  it("somebody who puts another array in the place of one that is over", async () => {
    const run: Deed["run"] = (site, store) => site.dispatch(2, store);
    await atEachCall(over, run, async (site) => {
      await site.settle(3);
      expect([...site.made].sort()).to.deep.equal(["one 1", "one 2", "two 1", "two 2", "two 3", "two 4"]);
      expect(site.left()).to.deep.equal([]);
    });
  });
});

describe("an array at which several are at once", function () {
  this.timeout(SAMPLE > 1000 ? 600_000 : 60_000);
  this.slow(10_000);
  let dice: Dice;
  beforeEach(() => {
    dice = new Dice(SEED);
  });

  async function go(actor: Actor, steps = Number.POSITIVE_INFINITY): Promise<void> {
    for (let n = 0; n < steps && !actor.isDone; n++) await actor.step();
  }

  /** One is stopped after i calls, the other then after j: either may go on when the other has done all. */
  async function together(
    make: () => Promise<Site>,
    deeds: readonly Deed[],
    check: (site: Site) => Promise<void>,
  ): Promise<void> {
    const actorsAt = (site: Site) =>
      deeds.map(
        ({ name, run }) =>
          new Actor(
            name,
            site.store,
            (store) => run(site, store),
            (method) => site.takeJobs(method),
          ),
      );
    const lengths: number[] = [];
    for (const i of deeds.keys()) {
      using site = await make();
      const actor = actorsAt(site)[i] as Actor;
      await go(actor);
      lengths.push(actor.steps);
    }
    const [a = 0, b = 0] = lengths;
    const isAll = (a + 1) * b <= SAMPLE;
    const stops = isAll
      ? numbersFrom(0, a).flatMap((i) => numbersFrom(1, b + 10).map((j) => [i, j] as const))
      : numbersFrom(1, SAMPLE / 2).map(() => [dice.between(0, a), dice.between(1, b + 10)].map(Math.floor));
    for (const [i = 0, j = 0] of stops) {
      using site = await make();
      const [first, second] = actorsAt(site) as [Actor, Actor];
      await go(first, i);
      await go(second, j);
      await go(first);
      await go(second);
      await saying(`${first.name}, stopped at ${i}; ${second.name}, at ${j}`, () => check(site));
    }
    for (let turn = 0; turn < Math.min(SAMPLE / 2, 1000); turn++) {
      using site = await make();
      const actors = actorsAt(site);
      const stretch = dice.pick([2, 6, 15]);
      const log: string[] = [];
      while (actors.some(({ isDone }) => !isDone)) {
        const actor = dice.pick(actors.filter(({ isDone }) => !isDone));
        const steps = Math.ceil(dice.between(0, stretch));
        log.push(`${actors.indexOf(actor)}*${steps}`);
        await go(actor, steps);
      }
      await saying(`${deeds.map(({ name }) => name).join(" and ")}: ${log.join(" ")}`, () => check(site));
    }
  }

  const pairs: [make: () => Promise<Site>, ...Deed[]][] = [
    [begun, dispatches(3), dispatches(3)],
    [queued, dispatches(2), dispatches(5)],
    [begun, dispatches(3), HOLDS],
    [queued, BEGINS_AND_HOLDS, dispatches(3)],
    [begun, dispatches(3), CANCELS],
    [begun, dispatches(2), RELEASES],
    [begun, HOLDS, CANCELS],
    [begun, RETRIES, RELEASES],
    [begun, DOES_ALL, DOES_ALL],
    [begun, DOES_ALL, RETRIES, dispatches(2)],
  ];
  for (const [make, ...deeds] of pairs) {
    it(`one who ${deeds.map(({ name }) => name).join("; one who ")}`, async () => {
      await together(make, deeds, (site) => site.settleAll(dice.pick([1, 3, 8]), NUMBERS));
    });
  }

  it("what somebody was told he has held is held", async () => {
    const told = new Map<Site, number[]>();
    const holds = {
      ...HOLDS,
      run: async (site: Site, store: Store) =>
        told.set(site, await site.change(["waiting"], "held", isMiddle, store)),
    };
    await together(begun, [dispatches(2), holds], async (site) => {
      await site.settleAll(3, NUMBERS);
      expect(site.left()).to.deep.equal((told.get(site) ?? []).map((number) => `held.${number}`));
    });
  });

  const begins: Deed = { name: "begins the next array", run: (site, store) => site.begin(store) };
  const putsBack: Deed = {
    name: "puts back what was cancelled of the old one",
    run: (site, store) => site.change(["cancelled"], "waiting", isAny, store),
  };
  const removes: Deed = {
    name: "removes the old one",
    run: (site, store) => removeArray(store, site.layout, "A"),
  };
  for (const deeds of [
    [begins, begins],
    [begins, dispatches(2)],
    [dispatches(3), dispatches(2)],
    [putsBack, dispatches(2)],
    [removes, dispatches(2)],
    [begins, removes, putsBack],
  ]) {
    it(`one array after another: one who ${deeds.map(({ name }) => name).join("; one who ")}`, async () => {
      await together(over, deeds, async (site) => {
        await site.settle(3);
        const all = ["one 1", "one 2", "one 3", "two 1", "two 2", "two 3", "two 4"];
        const isBack = deeds.includes(putsBack) && site.made.includes("one 3");
        expect([...site.made].sort()).to.deep.equal(all.filter((one) => isBack || one !== "one 3"));
      });
    });
  }
});
