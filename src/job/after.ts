import { jobName } from "./name.js";

/** A job that another waits for. `ok`: it has to succeed; `any`: it has to end, whatever its outcome. */
export interface Dependency {
  readonly job: string;
  readonly on: "ok" | "any";
}

/** Reads `a, b:any, c:ok`: job names with commas between them. Undefined: one of them is empty. */
export function parseAfter(text: string): Dependency[] | undefined {
  const found = text.split(",").map((part): Dependency => {
    const [, name = "", on] = /^\s*(.*?)\s*(?::(ok|any))?\s*$/s.exec(part) ?? [];
    return { job: jobName(name), on: on === "any" ? "any" : "ok" };
  });
  return found.every(({ job }) => job !== "") ? found : undefined;
}

/** As it is written in a job file. */
export function formatAfter(after: readonly Dependency[]): string {
  return after.map(({ job, on }) => (on === "ok" ? job : `${job}:any`)).join(", ");
}
