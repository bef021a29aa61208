import { expect } from "chai";
import { messageOf } from "../../src/spool/errno.js";
import { isErrno, isFull, isSystemError, isTrouble } from "../../src/spool/store.js";

/** As Node 20 makes them on Linux. */
function systemError(code: string, errno: number, message: string): Error {
  return Object.assign(new Error(message), { code, errno, syscall: "open" });
}

const LATER = "Unknown system error -116";

describe("errors of the system that Node has no name for", () => {
  const stale = [
    systemError("UNKNOWN", -116, "UNKNOWN: unknown error, open 'a'"),
    systemError(LATER, -116, `${LATER}: ${LATER}, open 'a'`),
  ];
  const other = systemError("Unknown system error -121", -121, "Unknown system error -121: read");

  before(function () {
    if (process.platform !== "linux") this.skip();
  });

  for (const [n, error] of stale.entries()) {
    it(`are known by their numbers (${n === 0 ? "of a call that blocks" : "of the thread pool"})`, () => {
      expect(isErrno(error, "ESTALE")).to.equal(true);
      expect([isSystemError(error), isTrouble(error), isFull(error)]).to.deep.equal([true, true, false]);
      expect(messageOf(error)).to.equal("ESTALE, open 'a'");
    });
  }

  it("a quota that is used up is a full disk", () => {
    expect(isFull(systemError("UNKNOWN", -122, "UNKNOWN: unknown error, write"))).to.equal(true);
  });

  it("what has no name at all is the store's trouble, and no bug", () => {
    expect([isSystemError(other), isTrouble(other)]).to.deep.equal([true, true]);
    expect(messageOf(other)).to.equal(other.message);
  });

  it("what is no error of the system's is none", () => {
    for (const error of [new Error("EIO"), Object.assign(new Error(), { code: "ERR_X" }), "EIO", undefined]) {
      expect([isSystemError(error), isTrouble(error)]).to.deep.equal([false, false]);
    }
  });
});
