import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";

/**
 * The directories of `src/`, from the lowest to the highest, each with the directories that it may import besides
 * itself. An import may skip levels, but never leads to a higher directory. The dispatcher, the recruiter and the
 * worker are separate processes that meet in the project's directory, so their code never imports one another.
 */
const BASE = ["job", "project", "store", "ledger"];
const SPOOL = [...BASE, "spool"];
const JOBS = [...SPOOL, "jobs"];
const LIBRARY = [...JOBS, "submission", "report", "explain", "dispatcher", "recruiter"];
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  job: [],
  project: ["job"],
  store: ["job", "project"],
  ledger: ["job", "project", "store"],
  spool: BASE,
  dispatcher: SPOOL,
  worker: SPOOL,
  recruiter: SPOOL,
  doctor: SPOOL,
  jobs: SPOOL,
  submission: JOBS,
  report: JOBS,
  explain: [...JOBS, "report", "dispatcher"],
  library: LIBRARY,
  run: [...LIBRARY, "library"],
  cli: [...LIBRARY, "library", "run", "worker", "doctor"],
};

/** Directories outside `src/`, each with the directories that it may import besides itself. */
const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  "scripts/bench": ["src", "test/rig"],
  "scripts/soak": ["src", "test"],
};

const ROOT = path.resolve(import.meta.dirname, "../..");
const IMPORT = /(?:\bfrom|\bimport\(|\bimport)\s*"(\.[^"]+)"/g;

/** Each source file below a directory, relative to the checkout, with the files that it imports. */
function importsBelow(folder: string): Map<string, string[]> {
  const imports = new Map<string, string[]>();
  for (const entry of fs.readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })) {
    const file = path.join(folder, entry);
    if (!file.endsWith(".ts")) continue;
    const found = [...fs.readFileSync(path.join(ROOT, file), "utf8").matchAll(IMPORT)];
    const targets = found.map(([, to = ""]) => path.join(path.dirname(file), to).replace(/\.js$/, ".ts"));
    imports.set(file, targets);
  }
  return imports;
}

/** Directory of a file in `src/`. The result is `index` for the file that exports the library. */
function roomOf(file: string): string {
  const [, room = "", ...rest] = file.split(path.sep);
  return rest.length === 0 ? "index" : room;
}

/** A circle of files that import one another. The result is empty when there is none. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const search = (file: string, trail: readonly string[]): string[] => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const target of imports.get(file) ?? []) {
      const circle = search(target, [...trail, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of imports.keys()) {
    const circle = search(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

describe("the directories of src", () => {
  const source = importsBelow("src");

  it("are those of the table", () => {
    const rooms = new Set([...source.keys()].map(roomOf));
    expect([...rooms].sort()).to.deep.equal([...Object.keys(ROOMS), "index"].sort());
  });

  it("import only the directories that the table allows", () => {
    const forbidden: string[] = [];
    for (const [file, targets] of source) {
      const room = roomOf(file);
      for (const target of targets) {
        if (!fs.existsSync(path.join(ROOT, target))) continue; // The target is data, or a bundle.
        const to = roomOf(target);
        if (room !== "index" && room !== to && !ROOMS[room]?.includes(to))
          forbidden.push(`${file} → ${target}`);
      }
    }
    expect(forbidden).to.deep.equal([]);
  });

  it("import only directories below them in the table", () => {
    const order = Object.keys(ROOMS);
    for (const [room, allowed] of Object.entries(ROOMS)) {
      for (const below of allowed)
        expect(order.indexOf(below), `${room} → ${below}`).to.be.lessThan(order.indexOf(room));
    }
  });

  for (const [folder, allowed] of Object.entries(OUTSIDE)) {
    it(`${folder} imports only from ${allowed.join(" and ")}`, () => {
      const targets = [...importsBelow(folder).values()].flat();
      const isAllowed = (target: string) =>
        [folder, ...allowed].some((one) => target.startsWith(one + path.sep));
      expect(targets.filter((target) => !isAllowed(target))).to.deep.equal([]);
    });
  }

  for (const folder of ["src", "scripts", "test"]) {
    it(`contain no circle of imports in ${folder}`, () => {
      expect(circleIn(importsBelow(folder))).to.deep.equal([]);
    });
  }
});
