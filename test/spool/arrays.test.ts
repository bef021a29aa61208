import fs from "node:fs";
import { expect } from "chai";
import { Arrays } from "../../src/dispatcher/arrays.js";
import { changeParts, mendArray } from "../../src/spool/array-changes.js";
import { expandPart, sendOut } from "../../src/spool/array-elements.js";
import { readArray } from "../../src/spool/array-parts.js";
import { adoptArrays, beginArray, removeArray } from "../../src/spool/arrays.js";
import { stampAt } from "../../src/spool/finish.js";
import type { Store } from "../../src/store/store.js";
import { Dice, SEED } from "../rig/dice.js";
import { sized } from "../rig/sized.js";
import { Actor, ArrayProject, absent, DEATHS, dieAt, filling, numbersFrom } from "./array-project.js";

/** Schedules for each pair. FJORD_SCHEDULES=all tries every schedule, or as many as run in some minutes. */
const SAMPLE = process.env.FJORD_SCHEDULES === "all" ? 8000 : sized(30, 400);

const NUMBERS = numbersFrom(1, 8);
const isEven = (number: number) => number % 2 === 0;
const isMiddle = (number: number) => number >= 3 && number <= 6;
const isAny = () => true;

/** The work of one process on the array. The process may be killed at any call. */
interface Deed {
  readonly name: string;
  readonly run: (project: ArrayProject, store: Store) => Promise<unknown>;
}

function dispatches(block: number): Deed {
  return { name: `dispatches, ${block} at a time`, run: (project, store) => project.dispatch(block, store) };
}

const HOLDS: Deed = {
  name: "holds the middle",
  run: (project, store) => project.change(["waiting"], "held", isMiddle, store),
};
const CANCELS: Deed = {
  name: "cancels the even ones",
  run: (project, store) => project.change(["waiting", "held"], "cancelled", isEven, store),
};
const RELEASES: Deed = {
  name: "holds the middle and releases it",
  run: async (project, store) => {
    await HOLDS.run(project, store);
    await project.change(["held"], "waiting", isAny, store);
  },
};
const RETRIES: Deed = {
  name: "cancels all and puts back the middle, and then all",
  run: async (project, store) => {
    await project.change(["waiting", "held"], "cancelled", isAny, store);
    await project.change(["cancelled"], "waiting", isMiddle, store);
    await project.change(["cancelled"], "waiting", isAny, store);
  },
};
const BEGINS_AND_HOLDS: Deed = {
  name: "begins it and holds the middle",
  run: async (project, store) => {
    await project.begin(store);
    await HOLDS.run(project, store);
  },
};
const DOES_ALL: Deed = {
  name: "holds, cancels, dispatches, releases, puts back and dispatches",
  run: async (project, store) => {
    await project.begin(store);
    await HOLDS.run(project, store);
    await CANCELS.run(project, store);
    await project.dispatch(2, store);
    await project.change(["held"], "waiting", isAny, store);
    await project.change(["cancelled"], "waiting", (number) => number > 3, store);
    await project.dispatch(2, store);
  },
};

/** An array that lies in the queue. */
async function queued(): Promise<ArrayProject> {
  const project = new ArrayProject();
  project.submit("1-8");
  return project;
}

/** An array that has begun, and has no job yet. */
async function begun(): Promise<ArrayProject> {
  const project = await queued();
  await project.begin();
  return project;
}

/** An array that has ended and has a cancelled number. Another array with the same name lies in the queue. */
async function over(): Promise<ArrayProject> {
  const project = new ArrayProject();
  project.submit("1-3", "one");
  await project.begin();
  await project.change(["waiting"], "cancelled", (number) => number === 3);
  await project.settle(2);
  project.submit("1-4", "two");
  return project;
}

/** Adds the schedule and the seed to the message of a failure. */
async function saying(what: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (error instanceof Error) error.message = `${what}, seed ${SEED}\n${error.message}`;
    throw error;
  }
}

describe("an array", () => {
  let project: ArrayProject;
  beforeEach(async () => {
    project = await begun();
  });
  afterEach(() => project[Symbol.dispose]());

  const view = async (of = project) => {
    const found = await readArray(of.site, "A");
    if (found === undefined) throw new Error(`no array\n${of.tree()}`);
    return found;
  };
  const parts = async () => (await view()).parts.map(({ entry }) => entry);
  const inQueue = () => fs.readdirSync(project.layout.jobqueue).sort();
  const expand = async (count: number, of = project) => {
    const { store, layout } = of;
    const stamp = (await stampAt(store, layout.arrayFile("A"))) ?? "";
    const textOf = (number: number) => `[control]\nexecutable = echo one ${number}\n`;
    const [part] = (await view(of)).parts;
    if (part === undefined) throw new Error("no part");
    return expandPart(of.site, { name: "A", stamp, textOf }, part, count, true);
  };
  const send = async () => {
    let left = 0;
    for (const out of (await view()).outgoing) left += await sendOut(project.site, "A", out);
    return left;
  };

  it("leaves the queue and begins with one part for each range", async () => {
    using other = new ArrayProject();
    other.submit("1-10:3,20,30-40");
    expect(await other.begin()).to.equal("begun");
    expect(other.tree()).to.equal(["A", "A/1-10:3", "A/20", "A/30-40", "A/array.ini"].join("\n"));
    expect(fs.readdirSync(other.layout.jobqueue)).to.deep.equal([]);
  });

  it("does not begin when its file is gone", async () => {
    using other = new ArrayProject();
    expect(await other.begin()).to.equal("gone");
    expect(other.tree()).to.equal("");
  });

  it("waits until an earlier array with the same name has ended, and then takes its place", async () => {
    project.submit("1-2", "two");
    expect(await project.begin()).to.equal("name-taken");
    expect(inQueue()).to.deep.equal(["A.ini"]);
    await project.change(["waiting"], "cancelled", isAny);
    expect(await project.begin()).to.equal("begun");
    expect(await parts()).to.deep.equal(["1-2"]);
    expect(project.litter()).to.deep.equal([]);
  });

  it("has the ranges of the last file that was put into the queue", async () => {
    using other = new ArrayProject();
    other.submit("1-100");
    other.submit("5-6");
    await other.begin();
    expect(other.left()).to.deep.equal(["waiting.5", "waiting.6"]);
  });

  it("does not begin when a file without [array] has replaced its file in the queue", async () => {
    using other = new ArrayProject();
    const text = "[control]\nexecutable = true\n";
    fs.writeFileSync(other.layout.queued("A.ini"), text);
    expect(await other.begin()).to.equal("gone");
    expect(fs.readFileSync(other.layout.queued("A.ini"), "utf8")).to.equal(text);
    expect(other.litter()).to.deep.equal([]);
  });

  it("sends its first numbers to the queue, and keeps the rest", async () => {
    expect(await expand(3)).to.equal(true);
    expect((await view()).outgoing).to.have.length(1);
    expect((await view()).outgoing[0]?.files).to.deep.equal(["A_1.ini", "A_2.ini", "A_3.ini"]);
    expect(await send()).to.equal(0);
    expect(inQueue()).to.deep.equal(["A_1.ini", "A_2.ini", "A_3.ini"]);
    expect(await parts()).to.deep.equal(["4-8"]);
    expect(project.litter()).to.deep.equal([]);
    expect(await expand(100)).to.equal(true);
    await send();
    expect(inQueue()).to.have.length(8);
    expect(project.tree()).to.equal("A\nA/array.ini");
  });

  it("puts whole files into the queue, whose times have the order of their numbers", async () => {
    await expand(8);
    await send();
    const stats = inQueue().map((file) => fs.statSync(project.layout.queued(file)));
    const times = stats.map(({ mtimeMs }) => mtimeMs);
    expect(times).to.deep.equal([...times].sort((a, b) => a - b));
    for (const { ctimeMs, mtimeMs } of stats) expect(ctimeMs - mtimeMs).to.be.above(500);
  });

  it("keeps a job back until its name is free in the queue", async () => {
    fs.writeFileSync(project.layout.queued("A_2.ini"), "mine");
    await expand(3);
    expect(await send()).to.equal(1);
    expect(fs.readFileSync(project.layout.queued("A_2.ini"), "utf8")).to.equal("mine");
    expect((await view()).outgoing[0]?.files).to.deep.equal(["A_2.ini"]);
    fs.unlinkSync(project.layout.queued("A_2.ini"));
    expect(await send()).to.equal(0);
    expect(fs.readFileSync(project.layout.queued("A_2.ini"), "utf8")).to.include("echo one 2");
    expect(project.litter()).to.deep.equal([]);
  });

  it("makes no jobs from a part that has changed, and none from another array's file", async () => {
    const [part] = (await view()).parts;
    if (part === undefined) throw new Error("no part");
    const stamp = (await stampAt(project.store, project.layout.arrayFile("A"))) ?? "";
    const textOf = () => "";
    await project.change(["waiting"], "held", isEven);
    expect(await expandPart(project.site, { name: "A", stamp, textOf }, part, 2, false)).to.equal(false);
    const source = { name: "A", stamp: `${stamp}0`, textOf };
    const there = (await view()).parts.find(({ kind }) => kind === "waiting");
    if (there === undefined) throw new Error("no part");
    expect(await expandPart(project.site, source, there, 1, false)).to.equal(false);
    await project.settle(3);
    expect(project.left()).to.deep.equal(["held.2", "held.4", "held.6", "held.8"]);
  });

  it("reports which numbers a hold, a release, a cancel or a retry has changed", async () => {
    expect(await project.change(["waiting"], "held", isMiddle)).to.deep.equal([3, 4, 5, 6]);
    expect(await parts()).to.deep.equal(["1-2", "held.3-6", "7-8"]);
    expect(await project.change(["waiting", "held"], "cancelled", isEven)).to.deep.equal([2, 4, 6, 8]);
    expect(await project.change(["held"], "waiting", (number) => number === 3)).to.deep.equal([3]);
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
    expect(await project.change(["cancelled"], "held", (number) => number === 1)).to.deep.equal([]);
    expect(await project.change(["cancelled", "held"], "waiting", isAny)).to.deep.equal([2, 4, 5, 6, 8]);
    expect(project.litter()).to.deep.equal([]);
    await project.settleAll(3, NUMBERS);
    expect(project.made).to.have.length(8);
  });

  it("changes all parts when no numbers are given", async () => {
    await expand(2);
    await project.change(["waiting"], "held", isAny);
    expect(await parts()).to.deep.equal(["held.3-8"]);
    expect(await send()).to.equal(0);
    expect(await changeParts(project.site, "B", new Set(["waiting"]), "held")).to.deep.equal([]);
  });

  it("loses no number when its directory is renamed for a moment", async () => {
    for (const [methods, times] of [
      [["rename"], 99],
      [["rename", "rmdir"], 3],
      [["rename", "rmdir"], 4],
      [["rmdir"], 1],
      [["read"], 1],
      [["list"], 1],
      [["list", "rename"], 5],
    ] as const) {
      using other = await begun();
      const away = () => absent(other, methods, times);
      await expand(3, other);
      for (const out of (await view(other)).outgoing)
        await sendOut({ ...other.site, store: away() }, "A", out);
      await other.change(["waiting"], "held", isMiddle, away());
      await mendArray({ ...other.site, store: away() }, await view(other));
      await other.dispatch(3, away());
      other.takeJobs();
      await saying(`${methods}, ${times} times`, () => other.settleAll(2, NUMBERS));
    }
  });

  it("runs after the next array with the same name when that array has taken its place", async () => {
    fs.renameSync(project.layout.array("A"), project.layout.oldArray("A", "x"));
    project.submit("1-4", "two");
    await project.begin();
    await project.settle(3);
    const made = (word: string, to: number) => numbersFrom(1, to).map((number) => `${word} ${number}`);
    expect(project.made.sort()).to.deep.equal([...made("one", 8), ...made("two", 4)]);
  });

  it("may have parts whose numbers interleave", async () => {
    using other = new ArrayProject();
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

  it("leaves no half-made entry on a full disk, and goes on when there is space again", async () => {
    for (let room = 0; room < 8; room++) {
      for (const run of [
        () => project.dispatch(6, filling(project.store, room)),
        () => project.change(["waiting"], "held", isEven, filling(project.store, room % 3)),
      ]) {
        const error = await run().catch((error: unknown) => error);
        expect(error).to.have.property("code", "ENOSPC");
        expect(project.tree()).to.equal("A\nA/1-8\nA/array.ini");
      }
    }
    await project.settleAll(6, NUMBERS);
  });

  it("does not retry endlessly when a foreign directory has its name", async () => {
    fs.mkdirSync(project.layout.inArray("A", "held.3-6", "mine"), { recursive: true });
    await project.change(["waiting"], "held", isMiddle);
    const found = await view();
    expect(found.splits).to.have.length(1);
    expect(await mendArray(project.site, found)).to.equal(false);
    fs.rmdirSync(project.layout.inArray("A", "held.3-6", "mine"));
    expect(await mendArray(project.site, found)).to.equal(true);
    await project.settleAll(2, NUMBERS);
  });

  it("makes no jobs while its file is invalid, and goes on when the file is corrected in place", async () => {
    const file = project.layout.arrayFile("A");
    const text = fs.readFileSync(file, "utf8");
    const troubles: string[] = [];
    const arrays = new Arrays(project.site, {
      troubleWithArray: (message) => troubles.push(message),
      cancelled: () => undefined,
    });
    for (const broken of [text.replace("range", "rang"), "[control]\nexecutable = x\n"]) {
      fs.writeFileSync(file, broken);
      for (let looks = 0; looks < 3; looks++) await arrays.readAll();
      expect(await arrays.feed(5, { readyFrom: () => 0 })).to.equal(false);
    }
    expect(troubles).to.have.length(2);
    expect(troubles[0]).to.include('key "rang": is not a key of this section').and.include("fjord cancel A");
    expect(troubles[1]).to.include("is no longer an array");
    fs.writeFileSync(file, text);
    await arrays.readAll();
    expect(await arrays.feed(5, { readyFrom: () => 0 })).to.equal(true);
    await project.settleAll(3, NUMBERS);
  });

  it("makes its jobs from its own file, and not from the file of an earlier array with the same name", async () => {
    const arrays = new Arrays(project.site, {
      troubleWithArray: (message) => expect.fail(message),
      cancelled: () => undefined,
    });
    await arrays.readAll();
    await project.change(["waiting"], "cancelled", isAny);
    project.submit("1-8", "two");
    await project.begin();
    expect(await arrays.feed(5, { readyFrom: () => 0 })).to.equal(false);
    await arrays.readAll();
    expect(await arrays.feed(5, { readyFrom: () => 0 })).to.equal(true);
    project.takeJobs();
    expect(project.made.sort()).to.deep.equal(numbersFrom(1, 5).map((number) => `two ${number}`));
  });

  it("is removed when it has ended, and not before", async () => {
    expect(await removeArray(project.site, "A")).to.equal(false);
    await project.change(["waiting"], "held", isAny);
    expect(await removeArray(project.site, "A")).to.equal(false);
    await project.change(["held"], "cancelled", isAny);
    expect(await removeArray(project.site, "A")).to.equal(true);
    expect(project.tree()).to.equal("");
    expect(await removeArray(project.site, "A")).to.equal(true);
  });

  it("returns to its place from every temporary name that a killed process can leave", async () => {
    const { layout } = project;
    fs.renameSync(layout.array("A"), layout.oldArray("A", "x"));
    fs.mkdirSync(layout.newArray("B", "y"));
    fs.mkdirSync(layout.newArray("C.d", "z"));
    fs.writeFileSync(
      layout.arrayFileIn(layout.newArray("C.d", "z")),
      "[control]\nexecutable = x\n[array]\nrange = 7\n",
    );
    await adoptArrays(project.site);
    expect(project.tree()).to.equal(
      ["A", "A/1-8", "A/array.ini", "C.d", "C.d/7", "C.d/array.ini"].join("\n"),
    );
    expect(await beginArray(project.site, "B.ini")).to.equal("gone");
  });
});

describe("an array loses no number and repeats none", function () {
  this.timeout(SAMPLE > 1000 ? 600_000 : 60_000);
  this.slow(10_000);
  let dice: Dice;
  before(() =>
    console.log(`    seed ${SEED}, ${SAMPLE} schedules each (FJORD_TEST_SEED, FJORD_SCHEDULES=all)`),
  );
  beforeEach(() => {
    dice = new Dice(SEED);
  });

  /** Kills the process at each of its calls: before the call, during it or after it. */
  async function atEachCall(
    make: () => Promise<ArrayProject>,
    run: Deed["run"],
    check: (project: ArrayProject, what: string) => Promise<void>,
  ): Promise<void> {
    let deaths = 0;
    for (let n = 1, isAlive = false; !isAlive; n++) {
      for (const how of DEATHS) {
        const what = `killed ${how} call ${n}`;
        using project = await make();
        isAlive = !(await dieAt(
          project.store,
          n,
          how,
          (store) => run(project, store),
          (method) => project.takeJobs(method),
        ));
        if (!isAlive) deaths++;
        await saying(what, () => check(project, what));
      }
    }
    expect(deaths).to.be.above(20);
  }

  for (const deed of sized([DOES_ALL], [dispatches(3), dispatches(1), DOES_ALL])) {
    it(`when a process that ${deed.name} is killed, and the next dispatcher uses another block size`, async () => {
      for (const block of SAMPLE > 1000 ? [1, 2, 3, 5, 8] : [dice.pick([1, 2]), dice.pick([5, 8])]) {
        await atEachCall(queued, deed.run, (project) => project.settleAll(block, NUMBERS));
      }
    });
  }

  it("when several processes are killed one after the other", async () => {
    for (let turn = 0; turn < Math.min(SAMPLE, 3000); turn++) {
      using project = await queued();
      let what = `turn ${turn}:`;
      for (let deaths = 0; deaths < 4; deaths++) {
        const deed = dice.pick([dispatches(1), dispatches(2), dispatches(5), DOES_ALL, RELEASES, RETRIES]);
        const [n, how] = [Math.floor(dice.between(1, 60)), dice.pick(DEATHS)];
        what += ` ${deed.name}, killed ${how} ${n};`;
        await dieAt(
          project.store,
          n,
          how,
          (store) => deed.run(project, store),
          (method) => project.takeJobs(method),
        );
      }
      await saying(what, () => project.settleAll(dice.pick([1, 2, 3, 8]), NUMBERS));
    }
  });

  it("when a process is killed while it replaces an array that has ended", async () => {
    const run: Deed["run"] = (project, store) => project.dispatch(2, store);
    await atEachCall(over, run, async (project) => {
      await project.settle(3);
      expect([...project.made].sort()).to.deep.equal(["one 1", "one 2", "two 1", "two 2", "two 3", "two 4"]);
      expect(project.left()).to.deep.equal([]);
    });
  });
});

describe("an array that several processes use at once", function () {
  this.timeout(SAMPLE > 1000 ? 600_000 : 60_000);
  this.slow(10_000);
  let dice: Dice;
  beforeEach(() => {
    dice = new Dice(SEED);
  });

  async function go(actor: Actor, steps = Number.POSITIVE_INFINITY): Promise<void> {
    for (let n = 0; n < steps && !actor.isDone; n++) await actor.step();
  }

  /** Stops the first process after i calls and the second after j calls, then finishes the first and then the second. */
  async function together(
    make: () => Promise<ArrayProject>,
    deeds: readonly Deed[],
    check: (project: ArrayProject) => Promise<void>,
  ): Promise<void> {
    const actorsAt = (project: ArrayProject) =>
      deeds.map(
        ({ name, run }) =>
          new Actor(
            name,
            project.store,
            (store) => run(project, store),
            (method) => project.takeJobs(method),
          ),
      );
    const lengths: number[] = [];
    for (const i of deeds.keys()) {
      using project = await make();
      const actor = actorsAt(project)[i] as Actor;
      await go(actor);
      lengths.push(actor.steps);
    }
    const [a = 0, b = 0] = lengths;
    const isAll = (a + 1) * b <= SAMPLE;
    const stops = isAll
      ? numbersFrom(0, a).flatMap((i) => numbersFrom(1, b + 10).map((j) => [i, j] as const))
      : numbersFrom(1, SAMPLE / 2).map(() => [dice.between(0, a), dice.between(1, b + 10)].map(Math.floor));
    for (const [i = 0, j = 0] of stops) {
      using project = await make();
      const [first, second] = actorsAt(project) as [Actor, Actor];
      await go(first, i);
      await go(second, j);
      await go(first);
      await go(second);
      await saying(`${first.name}, stopped at ${i}; ${second.name}, at ${j}`, () => check(project));
    }
    for (let turn = 0; turn < Math.min(SAMPLE / 2, 1000); turn++) {
      using project = await make();
      const actors = actorsAt(project);
      const stretch = dice.pick([2, 6, 15]);
      const log: string[] = [];
      while (actors.some(({ isDone }) => !isDone)) {
        const actor = dice.pick(actors.filter(({ isDone }) => !isDone));
        const steps = Math.ceil(dice.between(0, stretch));
        log.push(`${actors.indexOf(actor)}*${steps}`);
        await go(actor, steps);
      }
      await saying(`${deeds.map(({ name }) => name).join(" and ")}: ${log.join(" ")}`, () => check(project));
    }
  }

  const pairs: [make: () => Promise<ArrayProject>, ...Deed[]][] = [
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
    it(`loses no number: one process ${deeds.map(({ name }) => name).join("; one process ")}`, async () => {
      await together(make, deeds, (project) => project.settleAll(dice.pick([1, 3, 8]), NUMBERS));
    });
  }

  it("holds the numbers that a hold reports", async () => {
    const told = new Map<ArrayProject, number[]>();
    const holds = {
      ...HOLDS,
      run: async (project: ArrayProject, store: Store) =>
        told.set(project, await project.change(["waiting"], "held", isMiddle, store)),
    };
    await together(begun, [dispatches(2), holds], async (project) => {
      await project.settleAll(3, NUMBERS);
      expect(project.left()).to.deep.equal((told.get(project) ?? []).map((number) => `held.${number}`));
    });
  });

  const begins: Deed = { name: "begins the next array", run: (project, store) => project.begin(store) };
  const putsBack: Deed = {
    name: "puts back the cancelled numbers of the old array",
    run: (project, store) => project.change(["cancelled"], "waiting", isAny, store),
  };
  const removes: Deed = {
    name: "removes the old array",
    run: (project, store) => removeArray({ ...project.site, store }, "A"),
  };
  for (const deeds of [
    [begins, begins],
    [begins, dispatches(2)],
    [dispatches(3), dispatches(2)],
    [putsBack, dispatches(2)],
    [removes, dispatches(2)],
    [begins, removes, putsBack],
  ]) {
    it(`loses no number beside another array with the same name: one process ${deeds.map(({ name }) => name).join("; one process ")}`, async () => {
      await together(over, deeds, async (project) => {
        await project.settle(3);
        const all = ["one 1", "one 2", "one 3", "two 1", "two 2", "two 3", "two 4"];
        const isBack = deeds.includes(putsBack) && project.made.includes("one 3");
        expect([...project.made].sort()).to.deep.equal(all.filter((one) => isBack || one !== "one 3"));
      });
    });
  }
});
