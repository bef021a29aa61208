import { expect } from "chai";
import {
  announced,
  type Leave,
  type RunningAttempt,
  type State,
  StateMachine,
} from "../../src/worker/state.js";

function attemptOf(job: string): RunningAttempt {
  const started = new Date(0);
  return { file: `${job}.ini`, job, number: 2, started, claimed: undefined, stop: () => Promise.resolve() };
}

const A = attemptOf("a");
const B = attemptOf("b");
const leaving = (attempt?: RunningAttempt, how: Leave = "after-job"): State => ({
  kind: "leaving",
  how,
  why: "fired",
  attempt,
});

/** One state of each kind; kinds that may hold an attempt appear with one and without. */
const STATES: Readonly<Record<string, State>> = {
  idle: { kind: "idle" },
  "busy between jobs": { kind: "busy", attempt: undefined },
  "busy with a": { kind: "busy", attempt: A },
  stalled: { kind: "stalled", attempt: undefined },
  "stalled with a": { kind: "stalled", attempt: A },
  leaving: leaving(),
  "leaving with a": leaving(A),
  clearing: { kind: "clearing", why: "fired" },
  fenced: { kind: "fenced", why: "declared lost" },
};

/** The state machine: each state, and the states that may follow it. */
const CHART: Readonly<Record<string, readonly string[]>> = {
  idle: [
    "busy between jobs",
    "busy with a",
    "stalled",
    "stalled with a",
    "leaving",
    "leaving with a",
    "fenced",
  ],
  "busy between jobs": [
    "idle",
    "busy between jobs",
    "busy with a",
    "stalled",
    "stalled with a",
    "leaving",
    "leaving with a",
    "fenced",
  ],
  "busy with a": ["busy between jobs", "busy with a", "stalled with a", "leaving with a", "fenced"],
  stalled: [
    "idle",
    "busy between jobs",
    "busy with a",
    "stalled",
    "stalled with a",
    "leaving",
    "leaving with a",
    "fenced",
  ],
  "stalled with a": ["busy with a", "stalled", "stalled with a", "leaving with a", "fenced"],
  leaving: ["leaving", "leaving with a", "clearing", "fenced"],
  "leaving with a": ["leaving", "leaving with a", "fenced"],
  clearing: [],
  fenced: [],
};

/**
 * Each event with its method, and the state of the worker afterwards. `undefined` means that the call is a
 * bug.
 */
const EVENTS: Readonly<
  Record<string, [(m: StateMachine) => unknown, Readonly<Record<string, State | undefined>>]>
> = {
  "an attempt begins": [
    (m) => m.begin(B),
    {
      idle: { kind: "busy", attempt: B },
      "busy between jobs": { kind: "busy", attempt: B },
      "busy with a": undefined,
      stalled: { kind: "busy", attempt: B },
      "stalled with a": undefined,
      leaving: leaving(B),
      "leaving with a": undefined,
      clearing: undefined,
      fenced: undefined,
    },
  ],
  "the attempt ends": [
    (m) => m.endAttempt(),
    {
      "busy with a": STATES["busy between jobs"],
      "stalled with a": STATES.stalled,
      "leaving with a": STATES.leaving,
    },
  ],
  "the desk is empty": [
    (m) => m.rest(),
    {
      "busy between jobs": STATES.idle,
      "busy with a": undefined,
      stalled: STATES.idle,
      "stalled with a": undefined,
      leaving: undefined,
      "leaving with a": undefined,
      clearing: undefined,
      fenced: undefined,
    },
  ],
  "the store takes no writes": [
    (m) => m.stall(),
    { idle: STATES.stalled, "busy between jobs": STATES.stalled, "busy with a": STATES["stalled with a"] },
  ],
  "it is fired": [
    (m) => m.leave("after-job", "fired"),
    {
      idle: leaving(),
      "busy between jobs": leaving(),
      "busy with a": leaving(A),
      stalled: leaving(),
      "stalled with a": leaving(A),
    },
  ],
  "it is fired now": [
    (m) => m.leave("now", "fired"),
    {
      idle: leaving(undefined, "now"),
      "busy between jobs": leaving(undefined, "now"),
      "busy with a": leaving(A, "now"),
      stalled: leaving(undefined, "now"),
      "stalled with a": leaving(A, "now"),
      leaving: leaving(undefined, "now"),
      "leaving with a": leaving(A, "now"),
    },
  ],
  "its desk is gone": [
    (m) => m.fence(),
    {
      ...Object.fromEntries(Object.keys(STATES).map((name) => [name, STATES.fenced])),
      clearing: undefined,
    },
  ],
};

function stateOf(name: string): State {
  const state = STATES[name];
  if (state === undefined) throw new Error(`there is no state ${name}`);
  return state;
}

describe("the state of a worker", () => {
  for (const from of Object.keys(STATES)) {
    it(`${from} is followed only by the states of the chart`, () => {
      const followers = Object.keys(STATES).filter((to) => {
        const entered: State[] = [];
        const machine = new StateMachine((state) => entered.push(state), stateOf(from));
        try {
          machine.enter(stateOf(to));
        } catch {
          expect(machine.current, to).to.equal(STATES[from]);
          return false;
        }
        expect(entered).to.deep.equal([machine.current]);
        return true;
      });
      expect(followers.sort()).to.deep.equal([...(CHART[from] ?? [])].sort());
    });
  }

  it("never changes from one attempt to another directly", () => {
    const machine = new StateMachine(undefined, { kind: "busy", attempt: A });
    expect(() => machine.enter({ kind: "busy", attempt: B })).to.throw("busy cannot become busy");
    expect(() => machine.enter({ kind: "stalled", attempt: B })).to.throw("busy cannot become stalled");
  });

  for (const [event, [happen, after]] of Object.entries(EVENTS)) {
    it(`follows the table when ${event}`, () => {
      for (const from of Object.keys(STATES)) {
        const machine = new StateMachine(undefined, stateOf(from));
        if (from in after && after[from] === undefined) {
          expect(() => happen(machine), from).to.throw("cannot become");
        } else {
          happen(machine);
          expect(machine.current, from).to.deep.equal(after[from] ?? STATES[from]);
        }
      }
    });
  }

  it("does not leave later than an earlier order requires", () => {
    const machine = new StateMachine();
    expect(machine.leave("now", "fired")).to.equal(true);
    expect(machine.leave("after-job", "SIGTERM")).to.equal(false);
    expect(machine.current).to.deep.equal(leaving(undefined, "now"));
  });

  it("lets the worker take jobs until it leaves or is fenced", () => {
    const takes = Object.keys(STATES).filter((name) => new StateMachine(undefined, stateOf(name)).takesJobs);
    expect(takes).to.deep.equal(["idle", "busy between jobs", "busy with a", "stalled", "stalled with a"]);
  });

  it("is announced together with its job", () => {
    const job = { name: "a", attempt: 2, started: "1970-01-01T00:00:00.000Z" };
    const said = Object.fromEntries(Object.entries(STATES).map(([name, state]) => [name, announced(state)]));
    expect(said).to.deep.equal({
      idle: { state: "idle", job: null },
      "busy between jobs": { state: "busy", job: null },
      "busy with a": { state: "busy", job },
      stalled: { state: "stalled", job: null },
      "stalled with a": { state: "stalled", job },
      leaving: { state: "leaving", job: null },
      "leaving with a": { state: "leaving", job },
      clearing: { state: "leaving", job: null },
      fenced: { state: "leaving", job: null },
    });
  });
});
