import fs from "node:fs";
import { expect } from "chai";
import { Layout } from "../../src/project/layout.js";
import { LocalStore } from "../../src/spool/local-store.js";
import { takeSeat } from "../../src/spool/seat.js";
import { benches } from "./harness.js";

/** The seat is cleared for a dead dispatcher's just when it has been taken. */
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

describe("the dispatcher's seat", () => {
  const bench = benches();

  it("that another standby clears at that moment is not taken, and can be taken again", async () => {
    const layout = new Layout(bench().root);
    const store = new HastyStandby(layout.seat);
    expect(await takeSeat(store, layout, "here-d-00000000", 1, () => undefined)).to.equal(undefined);
    store.hasty = false;
    const seat = await takeSeat(store, layout, "here-d-00000000", 1, () => undefined);
    expect(await seat?.isMine()).to.equal(true);
    await seat?.leave();
    bench().judge({ over: true });
  });

  it("is cleared of what a killed dispatcher left when it sat down", async () => {
    const layout = new Layout(bench().root);
    fs.writeFileSync(layout.dispatcherTemporary("here-d-00000001"), "[disp");
    const seat = await takeSeat(new LocalStore(), layout, "here-d-00000002", 1, () => undefined);
    await seat?.leave();
    bench().judge({ over: true });
  });
});
