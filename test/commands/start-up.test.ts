import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { PACKAGE } from "../rig/command.js";
import { sharedProject } from "../rig/with-project.js";

/** Prints the name of every module that is loaded. */
const TRACER = `import { register } from "node:module";
const hooks = 'export function load(url, context, next) { process._rawDebug("loads " + url); return next(url, context); }';
register("data:text/javascript," + encodeURIComponent(hooks));
`;

describe("the short path of fjord --version and fjord status", () => {
  const project = sharedProject();
  const tell = (args: string[], env = {}) => project().run("fjord", args, { env });

  /** Pairs of equal command lines: the second form makes yargs parse the line. */
  const PAIRS: readonly (readonly [plain: string[], other: string[]])[] = [
    [["--version"], ["--version=true"]],
    [[], ["--no-json"]],
    [["status"], ["status", "--json=false"]],
    [
      ["status", "--json"],
      ["status", "--json=true"],
    ],
    [["--json"], ["--json=true"]],
    [["--project", "nowhere"], ["--project=nowhere"]],
    [
      ["status", "--json", "--project", "tset"],
      ["status", "--json", "--project=tset"],
    ],
    [
      ["status", "--project", "./.."],
      ["status", "--project=./.."],
    ],
    [
      ["status", "--project", "..."],
      ["status", "--project=..."],
    ],
    [
      ["status", "--project", "007"],
      ["status", "--project=007"],
    ],
  ];
  for (const [plain, other] of PAIRS) {
    it(`prints the same as the long path: fjord ${plain.join(" ")}`, async () => {
      expect(await tell(plain)).to.deep.equal(await tell(other));
    });
  }

  it("prints the same for a default project that does not exist yet", async () => {
    const env = { FJORD_PROJECT: "", FJORD_HOME: path.join(project().root, "empty") };
    expect(await tell(["status"], env)).to.deep.equal(await tell(["status", "--no-json"], env));
  });

  it("leaves invalid command lines to yargs", async () => {
    for (const args of [
      ["status", "--project"],
      ["status", "--project", "--json"],

      [""],
    ]) {
      const { exitCode, stderr } = await tell(args);
      expect({ exitCode, args }).to.deep.equal({ exitCode: 2, args });
      expect(stderr).to.contain("fjord --help lists the possible words.");
    }
  });

  it("loads none of the libraries", async () => {
    const tracer = path.join(project().root, "tracer.mjs");
    fs.writeFileSync(tracer, TRACER);
    // This test runs the separate files, because a bundle hides which modules are loaded.
    const fjord = path.join(PACKAGE, "dist", "src", "cli", "fjord.js");
    const loads = async (...args: string[]) => {
      const traced = ["--import", tracer, fjord, ...args];
      const { stderr } = await project().startProgram(process.execPath, traced).end;
      expect(stderr).to.contain("/cli/fjord.js");
      return [...stderr.matchAll(/^loads .*\/node_modules\/([^/]+)/gm)].map(([, name]) => name);
    };
    expect(await loads("status", "--no-json")).to.include("yargs");
    expect(await loads("--version")).to.deep.equal([]);
    const ofStatus = await loads("status");
    for (const name of ["yargs", "pino", "execa", "chokidar", "proper-lockfile"]) {
      expect(ofStatus).not.to.include(name);
    }
  });
});
