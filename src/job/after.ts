import { jobName } from "./name.js";

/** A job that another job waits for. `ok`: it must succeed. `any`: it must end, with any outcome. */
export interface Dependency {
  readonly job: string;
  readonly on: "ok" | "any";
}

/** Reads `a, b:any, c:ok`: job names, separated by commas. @returns undefined when a name is empty */
export function parseAfter(text: string): Dependency[] | undefined {
  const found = text.split(",").map((part): Dependency => {
    const text = part.trim();
    const on = /:(?:ok|any)$/.exec(text)?.[0] ?? "";
    const name = text.slice(0, text.length - on.length).trimEnd();
    return { job: jobName(name), on: on === ":any" ? "any" : "ok" };
  });
  return found.every(({ job }) => job !== "") ? found : undefined;
}

/** Writes dependencies in the form in which a job file holds them. */
export function formatAfter(after: readonly Dependency[]): string {
  return after.map(({ job, on }) => (on === "ok" ? job : `${job}:any`)).join(", ");
}
