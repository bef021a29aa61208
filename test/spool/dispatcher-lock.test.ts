import fs from "node:fs";
import { expect } from "chai";
import { takeDispatcherLock } from "../../src/spool/dispatcher-lock.js";
import { LocalStore } from "../../src/store/local-store.js";
import { witnessedProjectPerTest } from "../faults/witnessed-project.js";

/** A store on which another standby removes the lock, as a dead dispatcher's, just after it has been taken. */
class HastyStandby extends LocalStore {
  readonly #seat: string;
  hasty = true;

  constructor(seat: string) {
    super();
    this.#seat = seat;
  }

  override async mkdir(path: string, recursive = false): Promise<void> {
    await super.mkdir(path, recursive);
    if (path === this.#seat && this.hasty) fs.rmdirSync(path);
  }
}

describe("the dispatcher's lock", () => {
  const project = witnessedProjectPerTest();

  it("is not taken when another standby removes it at that moment, and can be taken again", async () => {
    const layout = project().layout;
    const store = new HastyStandby(layout.dispatcherLock);
    expect(
      await takeDispatcherLock({ ...project().site, store }, "here-d-00000000", 1, () => undefined),
    ).to.equal(undefined);
    store.hasty = false;
    const seat = await takeDispatcherLock(
      { ...project().site, store },
      "here-d-00000000",
      1,
      () => undefined,
    );
    expect(await seat?.isMine()).to.equal(true);
    await seat?.leave();
    project().judge({ over: true });
  });

  it("is cleared of the temporary file that a dispatcher left when it was killed while taking it", async () => {
    const layout = project().layout;
    fs.writeFileSync(layout.dispatcherTemporary("here-d-00000001"), "[disp");
    const seat = await takeDispatcherLock(project().site, "here-d-00000002", 1, () => undefined);
    await seat?.leave();
    project().judge({ over: true });
  });
});
