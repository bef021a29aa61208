import crypto from "node:crypto";
import { readJob } from "../job/job.js";
import type { JobPlace } from "../report/jobs.js";
import { factsIfThere } from "../spool/file-facts.js";
import { isSameFile } from "../spool/stamp.js";
import type { Project } from "./project.js";

/**
 * `changed`; `same`: the text was left as it was; `invalid`: what was written is no job, and the job is as it was;
 * `not-waiting`: it runs, has ended, or does meanwhile.
 */
export type Edited = "changed" | "same" | "invalid" | "not-waiting";

/** Gives the new text of a job file; undefined: it is to be left as it is. */
export type Editor = (text: Buffer, problem: string | undefined) => Promise<Uint8Array | undefined>;

const LIMIT = 1024 * 1024;

/**
 * Nobody takes a job that is held, so it is held while its file is edited. The new file is renamed over the old one, and
 * then back into the queue: whoever is killed in between leaves a held job, the old or the new one.
 */
export async function editJob(project: Project, place: JobPlace, edit: Editor): Promise<Edited> {
  const { store, layout } = project;
  const { job, file, state } = place;
  if (place.numbers !== undefined) return "not-waiting"; // it has no file of its own yet
  if (state !== "held") {
    const [held] = await project.hold([place]);
    if (held?.end !== "done") return "not-waiting";
  }
  const path = layout.held(file);
  const release = async () => {
    if (state !== "held") await project.release([{ job, file, state: "held", path }]);
  };
  try {
    const { bytes, facts } = await store.read(path, LIMIT);
    const isScript = (facts.mode & 0o111) !== 0;
    let text = bytes;
    for (let problem: string | undefined; ; ) {
      const next = await edit(text, problem);
      if (next === undefined) return problem === undefined ? "same" : "invalid";
      if (Buffer.compare(next, bytes) === 0) return "same";
      text = Buffer.from(next);
      const reading = readJob(file, text, isScript);
      if (reading.ok) break;
      problem = reading.reason;
    }
    // Somebody may have released or cancelled it while it was edited.
    const there = await factsIfThere(store, path);
    if (there === undefined || !isSameFile(there, facts)) return "not-waiting";
    const temporary = layout.held(`.${crypto.randomUUID()}.tmp`);
    await store.create(temporary, text, project.settings.flush, facts.mode & 0o777);
    await store.touch(temporary, facts.mtimeMs); // its age, and so its turn, stays
    await store.rename(temporary, path);
    return "changed";
  } finally {
    await release();
  }
}
