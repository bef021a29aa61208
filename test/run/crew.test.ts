import { expect } from "chai";
import type { Project } from "../../src/library/project.js";
import { Crew, type CrewNews } from "../../src/run/crew.js";
import { systemClock } from "../../src/store/clock.js";
import { until } from "../rig/until.js";

describe("the workers of a run", () => {
  let now = 0;
  let workers = 3;
  let canHire = true;
  let tries = 0;
  const project = {
    store: { clock: { ...systemClock, now: () => now } },
    workers: async () => Array.from({ length: workers }, () => ({ state: "busy" })),
    hire: async (count: number) => {
      tries++;
      if (!canHire) throw new Error("no processes left");
      workers += count;
    },
  } as unknown as Project;

  it("are replaced; when hiring fails, this is reported once, and once more when hiring works again", async () => {
    const heard: CrewNews[] = [];
    let failures = 0;
    const crew = new Crew(project, 3, {
      onNews: (news) => heard.push(news),
      onFailure: () => failures++,
    });
    const look = async () => {
      crew.fill({ waiting: 5, running: workers, workers });
      await new Promise(setImmediate);
    };
    const short = { kind: "short", left: 2, reason: "no processes left" };
    workers = 2;
    canHire = false;
    for (const at of [0, 1, 9_999]) {
      now = at;
      await look();
    }
    expect([tries, heard]).to.deep.equal([1, [short]]);
    now = 10_000;
    await look();
    expect([tries, heard]).to.deep.equal([2, [short]]);
    canHire = true;
    now = 20_000;
    await look();
    await look();
    await look();
    expect([tries, heard, failures]).to.deep.equal([3, [short, { kind: "full" }], 0]);
    heard.length = 0;
    // At the end of a run fewer workers are wanted, so a worker that has gone needs no replacement.
    canHire = false;
    workers = 2;
    now = 30_000;
    await look();
    crew.fill({ waiting: 0, running: 2, workers });
    expect(heard).to.deep.equal([short]);
    workers = 0;
    now = 40_000;
    await look();
    await until("the crew gives up", () => failures === 1);
    expect([heard.length, String(crew.failure)]).to.deep.equal([1, "Error: no processes left"]);
  });
});
