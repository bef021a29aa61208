import { inFile, readArrays } from "../checker/arrays.js";
import type { Evidence, Line } from "../checker/evidence.js";
import { WHOLE } from "./numbers.js";
import { filesOf, type Server } from "./server.js";
import type { Watch } from "./watch.js";

const ROOMS = ["jobdone", "jobfailed", "jobcancelled", "jobqueue", "jobheld"] as const;

/** Matches a temporary file without a job's name, or a probe for the store's time or for the permission to write. */
const PROBE = /\/\.[0-9a-f-]{36}\.tmp$/;

/**
 * Collects the evidence of a project in the model, for the checker.
 *
 * @param wasFull whether the store failed at times. If so, checkpoints may be left, because they delay no outcome. A
 * probe may also be left, if its removal failed twice.
 */
export function evidenceOf(root: string, server: Server, watch: Watch, wasFull: boolean): Evidence {
  const files = filesOf(server);
  const places = new Map<string, string[]>();
  const litter: string[] = [];
  const desks: string[] = [];
  const put = (job: string, place: string) => places.set(job, [...(places.get(job) ?? []), place]);
  const names = (dir: string) => files.list(dir === "" ? root : `${root}/${dir}`);
  const sort = (dir: string, place: string) => {
    for (const name of names(dir)) {
      if (dir === "jobqueue" && PROBE.test(`/${name}`)) continue; // a killed process leaves these for a day
      if (name.startsWith(".") || /\.(?:lock|tmp)$/.test(name)) {
        litter.push(`${dir}/${name}`);
        continue;
      }
      const job = name.replace(/\.ini$/, "");
      const whole = WHOLE[place];
      const elements = whole === undefined ? [] : inFile(`${root}/${dir}/${name}`, job, whole, files);
      for (const [element, where] of elements) put(element, where);
      if (elements.length === 0) put(job, place);
    }
  };
  for (const room of ROOMS) sort(room, room);
  const arrays = readArrays(root, files);
  for (const [job, place] of arrays.placed) put(job, place);
  litter.push(...arrays.litter.filter((path) => !wasFull || !PROBE.test(path)));
  for (const desk of names("jobpod")) {
    if (desk.startsWith(".")) litter.push(`jobpod/${desk}`);
    else if (desk !== "retry") desks.push(desk);
    sort(`jobpod/${desk}`, desk === "retry" ? "retry" : `desk ${desk}`);
  }
  const announced = names("workerqueue").filter((name) => !name.startsWith("."));
  litter.push(...names("workerqueue").filter((name) => name.startsWith(".")));
  // If two dispatchers took the dispatcher lock at once, the lock may be left. It becomes stale later.
  litter.push(...names("").filter((name) => name.startsWith(".")));
  return {
    root,
    places,
    litter,
    desks,
    announced,
    checkpoints: wasFull ? [] : names("jobcheckpoints"),
    lines: watch.lines().filter((line, i, all) => !all.slice(0, i).some((other) => isRepeated(other, line))),
    torn: [],
    runs: watch.runs.map(({ job, attempt, start, end, isComplete }) => ({
      job,
      attempt,
      pid: 1,
      start: start / 1000,
      end: isComplete ? (end ?? 0) / 1000 : undefined,
    })),
    processes: [],
  };
}

/** The second line was written because the writer did not know whether the first had reached the disk. */
function isRepeated(a: Line, b: Line): boolean {
  const isSame = a.ledger === b.ledger && a.event === b.event && a.job === b.job && a.run === b.run;
  return isSame && ["ended", "lost", "discarded"].includes(a.event);
}
