import { expect } from "chai";
import { messageOf } from "../../src/store/errno.js";
import { isErrno, isFull, isSystemError, isTrouble } from "../../src/store/store.js";

/** A system error as Node 20 makes it on Linux. */
function systemError(code: string, errno: number, message: string): Error {
  return Object.assign(new Error(message), { code, errno, syscall: "open" });
}

const LATER = "Unknown system error -116";

describe("a system error that Node has no name for", () => {
  const stale = [
    systemError("UNKNOWN", -116, "UNKNOWN: unknown error, open 'a'"),
    systemError(LATER, -116, `${LATER}: ${LATER}, open 'a'`),
  ];
  const other = systemError("Unknown system error -121", -121, "Unknown system error -121: read");

  before(function () {
    if (process.platform !== "linux") this.skip();
  });

  for (const [n, error] of stale.entries()) {
    it(`is recognized by its number (${n === 0 ? "from a blocking call" : "from the thread pool"})`, () => {
      expect(isErrno(error, "ESTALE")).to.equal(true);
      expect([isSystemError(error), isTrouble(error), isFull(error)]).to.deep.equal([true, true, false]);
      expect(messageOf(error)).to.equal("ESTALE, open 'a'");
    });
  }

  it("counts as a full disk when a quota is used up", () => {
    expect(isFull(systemError("UNKNOWN", -122, "UNKNOWN: unknown error, write"))).to.equal(true);
  });

  it("counts as an error of the store, and not as a bug, when fjord has no name for it either", () => {
    expect([isSystemError(other), isTrouble(other)]).to.deep.equal([true, true]);
    expect(messageOf(other)).to.equal(other.message);
  });

  it("is not found in other errors and values", () => {
    for (const error of [new Error("EIO"), Object.assign(new Error(), { code: "ERR_X" }), "EIO", undefined]) {
      expect([isSystemError(error), isTrouble(error)]).to.deep.equal([false, false]);
    }
  });
});
