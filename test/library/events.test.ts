import { expect } from "chai";
import { Project } from "../../src/library/project.js";
import { projectPerTest } from "../rig/with-project.js";

describe("the outcomes and events of the library", () => {
  const project = projectPerTest();
  const open = () => Project.open(project().directory, project().env);

  it("say how each job has ended", async () => {
    const own = await open();
    await own.hire(1, { environment: project().env, directory: project().work });
    const good = await own.submit({ command: ["echo", "a b"], name: "good" });
    const bad = await own.submit({ command: ["sh", "-c", "exit 3"], name: "bad [x]*" });
    const refused = await own.submit("refused.ini", "[control]\n");
    const gone = await own.submit({ command: ["true"], name: "gone" });
    const [held] = await own.hold(await own.jobs(["gone"]));
    expect(held?.end).to.equal("done");
    const outcomes = Promise.all([good.outcome, bad.outcome, refused.outcome]);
    await own.dispatch();
    const [first, second, third] = await outcomes;
    expect(first).to.deep.equal({ kind: "succeeded" });
    expect(second).to.deep.equal({ kind: "failed", code: 3 });
    expect(third).to.include({ kind: "refused" });
    await own.cancel(await own.jobs(["gone"]));
    expect(await gone.outcome).to.include({ kind: "cancelled" });
    expect(good.name).to.equal("good");
  });

  it("stop the dispatcher when the listener fails, and dispatch throws the error of the listener", async () => {
    const own = await open();
    await own.submit({ command: ["true"], name: "waits" });
    for (const onEvent of [
      () => {
        throw new Error("sync");
      },
      () => Promise.reject(new Error("async")),
    ]) {
      const error = await own.dispatch({ stay: true, onEvent }).catch((error) => error);
      expect(String(error)).to.match(/^Error: a?sync$/);
      expect(project().files.queued).to.deep.equal(["waits.ini"]);
    }
  });

  it("are for one job: submit refuses a request for many", async () => {
    const own = await open();
    const { Sweep, readParam } = await import("../../src/job/sweep.js");
    const sweep = new Sweep([readParam("n=1..3")], false);
    const error = await own.submit({ command: ["echo", "{n}"], sweep }).catch((error) => error);
    expect(error).to.include({ code: "bad-usage", message: "These are 3 jobs." });
    expect(project().files.queued).to.deep.equal([]);
  });

  it("come as they happen, from now on or from the start", async () => {
    const own = await open();
    await own.hire(1, { environment: project().env, directory: project().work });
    await own.submit({ command: ["true"], name: "before" });
    await own.dispatch();
    const stop = new AbortController();
    const heard: string[] = [];
    const listening = (async () => {
      for await (const event of own.events({ signal: stop.signal })) {
        heard.push("job" in event ? `${event.event} ${event.job}` : event.event);
        if (event.event === "ended") stop.abort();
      }
    })();
    await own.submit({ command: ["true"], name: "later" });
    await own.dispatch();
    await listening;
    expect(heard.filter((what) => what.includes(" "))).to.deep.equal(["started later", "ended later"]);
    const all: string[] = [];
    const once = AbortSignal.abort();
    for await (const event of own.events({ fromStart: true, signal: once })) all.push(event.event);
    expect(all.filter((event) => event === "ended")).to.have.length(2);
  });
});
