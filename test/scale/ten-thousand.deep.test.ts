import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { projectPerTest } from "../rig/with-project.js";

const JOBS = 10_000;

describe("scale: ten thousand jobs from a folder", () => {
  const project = projectPerTest("");

  it("all end exactly once while the folder is still being copied into the queue", async () => {
    const folder = path.join(project().work, "jobs");
    fs.mkdirSync(folder);
    const names = Array.from({ length: JOBS }, (_, n) => `job${n}.ini`);
    for (const name of names)
      fs.writeFileSync(path.join(folder, name), "[control]\nexecutable = /bin/true\n");
    await project().hire(2);
    const dispatcher = project().start("dispatcher", [], { longest: 240 }); // a slow machine runs 100 jobs/s
    const copy = project().startProgram("cp", ["-r", `${folder}/.`, project().layout.jobqueue]);
    expect((await copy.end).exitCode).to.equal(0);
    const { exitCode, stdout } = await dispatcher.end;
    expect(stdout).to.include(`No more jobs: ${JOBS} succeeded, 0 failed`);
    expect(exitCode).to.equal(0);
    expect(project().files.done).to.deep.equal(names.sort());
    const ended = fs
      .readdirSync(project().layout.ledger)
      .flatMap((file) =>
        fs.readFileSync(path.join(project().layout.ledger, file), "utf8").split('"event":"ended"').slice(1),
      );
    expect(ended).to.have.length(JOBS);
  });
});
