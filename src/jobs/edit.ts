import { FjordError } from "../job/error.js";
import { readJob } from "../job/job.js";
import { visible } from "../job/quote.js";
import {
  type EditMark,
  endEdit,
  isAbout,
  newEditMark,
  readEditMark,
  writeEditMark,
} from "../spool/edit-mark.js";
import { livenessOf } from "../spool/identity.js";
import { factsIfThere, ifThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { isSameFile, stampOf } from "../store/stamp.js";
import { temporaryIn } from "../store/temporary.js";
import { cancelOrHoldJobs } from "./cancel.js";
import type { CancelledOrHeld } from "./cancelling.js";
import { type JobPlace, pathInState, type SinglePlace } from "./places.js";

/**
 * `changed`: the job has the new text. `same`: the user has left the text as it was. `invalid`: the new text is not a valid job,
 * and the job keeps the old text. `not-waiting`: the job runs or has ended.
 */
export type Edited = "changed" | "same" | "invalid" | "not-waiting";

/** Returns the new text of a job file, or undefined to leave it as it is. `problem` says what is wrong with the last text. */
export type Editor = (text: Buffer, problem: string | undefined) => Promise<Uint8Array | undefined>;

export interface EditOptions {
  /** File in which the user edits the text. `explain` names it if this process is killed. */
  readonly copy?: string;
  /** Called if this edit continues an interrupted edit of the same job. */
  readonly onTakeOver?: (mark: EditMark) => void;
  /**
   * A signal that ends the wait for the worker that has the job on its desk. Once the editor runs, only the editor ends the edit.
   */
  readonly signal?: AbortSignal;
}

/** Size of the longest job file that can be edited, in bytes. */
const LIMIT = 1024 * 1024;

/**
 * S4: holds a job while its file is edited, because no worker takes a held job. Before this, the call writes a mark that names
 * the editing process. If that process is killed, a dispatcher puts the job back.
 *
 * @throws FjordError `job-refused` if somebody edits the job already, or if another job with the same name waits when the edit
 * ends
 */
export async function editJob(
  site: Site,
  place: JobPlace,
  edit: Editor,
  options: EditOptions = {},
): Promise<Edited> {
  if (place.kind === "numbers") return "not-waiting"; // numbers of an array have no file of their own yet
  const mark = await markEdit(site, place, options);
  let end: Edited;
  try {
    const held = await holdFor(site, place, options.signal);
    // The worker may still hold the job later. So the mark stays, and a dispatcher puts the job back.
    if (held === "asked") return "not-waiting";
    end = held === "done" ? await editHeld(site, place.file, edit, options.signal) : "not-waiting";
  } catch (error) {
    await endEdit(site, mark).catch(() => undefined); // a dispatcher will find the mark
    throw error;
  }
  if ((await endEdit(site, mark)) !== "name-taken") return end;
  const job = visible(place.job);
  const what = end === "changed" ? `Changed ${job}` : `Left ${job} as it was`;
  throw new FjordError(
    "job-refused",
    `${what}. Another job with the same name waits in the queue, so ${job} stays held.`,
    `A dispatcher puts it back when the name is free. Then fjord release ${job} does so, too.`,
  );
}

/** Writes the mark that names the editing process. */
async function markEdit(
  site: Site,
  place: SinglePlace,
  { copy = "", onTakeOver }: EditOptions,
): Promise<EditMark> {
  const { store, layout } = site;
  const { file, state, path } = place;
  await store.mkdir(layout.jobheld, true); // projects of earlier versions may not have it
  const before = await readEditMark(site, file);
  if (before !== undefined && livenessOf(before.process) !== "dead") throw isEdited(place, before);
  const facts = await factsIfThere(store, path);
  const goesOn = state === "held" && before !== undefined && facts !== undefined && isAbout(before, facts);
  const to = state === "held" && !(goesOn && before.to === "jobqueue") ? "jobheld" : "jobqueue";
  const mark = newEditMark(store, { file, to, copy, stamp: facts === undefined ? "" : stampOf(facts) });
  if (!(await writeEditMark(site, mark, before))) {
    throw isEdited(place, (await readEditMark(site, file)) ?? mark);
  }
  if (goesOn) onTakeOver?.(before);
  return mark;
}

async function holdFor(
  site: Site,
  place: SinglePlace,
  signal: AbortSignal | undefined,
): Promise<CancelledOrHeld["end"] | undefined> {
  if (place.state === "held") return "done";
  const [held] = await cancelOrHoldJobs(site, "hold", [place], signal ? { signal } : {});
  return held?.end;
}

function isEdited({ job }: JobPlace, { by, process, since }: EditMark): FjordError {
  const isHere = livenessOf(process) === "alive";
  const name = visible(job);
  return new FjordError(
    "job-refused",
    `${visible(by)} edits ${name} already (process ${process.pid}, since ${visible(since)}).`,
    isHere
      ? `End that editor first; fjord release ${name} takes the job from it.`
      : `If nobody edits ${name} there any more, run: fjord release ${name}`,
  );
}

/**
 * Writes the new text to a second file, and renames this file over the job file. So the job file is complete even if this process
 * is killed.
 */
async function editHeld(
  { store, layout, settings }: Site,
  file: string,
  edit: Editor,
  signal: AbortSignal | undefined,
): Promise<Edited> {
  const path = pathInState(layout, "held", file);
  const read = await ifThere(store.read(path, LIMIT));
  if (read === undefined) return "not-waiting";
  const { bytes, facts } = read;
  const isScript = (facts.mode & 0o111) !== 0;
  let text = bytes;
  for (let problem: string | undefined; ; ) {
    const next = signal?.aborted === true ? undefined : await edit(text, problem);
    if (next === undefined) return problem === undefined ? "same" : "invalid";
    if (Buffer.compare(next, bytes) === 0) return "same";
    text = Buffer.from(next);
    const reading = readJob(file, text, isScript);
    if (reading.ok) break;
    problem = reading.reason;
  }
  const temporary = temporaryIn(layout.jobheld);
  await store.create(temporary, text, settings.flush, facts.mode & 0o777);
  try {
    await store.touch(temporary, facts.mtimeMs); // the job keeps its age, and so its turn
    // Somebody may have released or cancelled the job while it was edited.
    const there = await factsIfThere(store, path);
    if (there !== undefined && isSameFile(there, facts)) {
      await store.rename(temporary, path);
      return "changed";
    }
  } catch (error) {
    await store.unlink(temporary).catch(() => undefined);
    throw error;
  }
  await store.unlink(temporary).catch(() => undefined);
  return "not-waiting";
}
