import type { Layout } from "../../src/project/layout.js";
import { CANCELLED_NUMBER, inFile, readArrays } from "../checker/arrays.js";
import { type JobPlan, namesOf } from "./jobs.js";
import { nameOf } from "./roll.js";
import { type Change, filesOf, type Server } from "./server.js";
import type { World } from "./world.js";

/** Place of the numbers of an array that has not begun, by the directory of the array's file. */
export const WHOLE: Readonly<Record<string, string>> = {
  jobqueue: "array file",
  jobheld: "array held",
  jobcancelled: CANCELLED_NUMBER,
};

/** Observes S11 from outside: the places of the numbers of arrays that are not jobs yet. */
export class Numbers {
  readonly #world: World;
  readonly #server: Server;
  readonly #layout: Layout;
  readonly #plans: readonly JobPlan[];
  /** Arrays that have come into the queue. */
  readonly #accepted = new Set<JobPlan>();
  /** Elements that have become jobs. */
  readonly #out = new Set<string>();
  /** Places of the numbers that have not become jobs. */
  #places = new Map<string, string[]>();
  /** Time when a number was last released, by job. */
  readonly #freedAt = new Map<string, number>();

  constructor(world: World, server: Server, layout: Layout, plans: readonly JobPlan[]) {
    this.#world = world;
    this.#server = server;
    this.#layout = layout;
    this.#plans = plans.filter(({ range }) => range !== undefined);
  }

  /** The array that has this name, or an element of this name. */
  arrayOf(job: string): JobPlan | undefined {
    return this.#plans.find((plan) => plan.name === job || namesOf(plan).includes(job));
  }

  isArray(job: string): boolean {
    return this.#plans.some(({ name }) => name === job);
  }

  /** Records that an array's file has come into the queue. */
  accept(array: string): void {
    for (const plan of this.#plans) if (plan.name === array) this.#accepted.add(plan);
    this.#places = this.#read();
  }

  /** Records that an element comes into the queue for the first time. */
  becomes(job: string): void {
    if (this.#out.has(job)) this.#world.fail(`a number has become a job twice: ${job}`);
    this.#out.add(job);
  }

  /**
   * Place of a number that is not a job yet: `array waiting`, `array held`, `array cancelled` and so on. Undefined if
   * the number is a job, or is in no place.
   */
  placeOf(job: string): string | undefined {
    return this.#places.get(job)?.[0];
  }

  /** The numbers that are in a place. */
  in(place: string): string[] {
    return [...this.#places].filter(([, places]) => places.includes(place)).map(([job]) => job);
  }

  /** Time when a number was last released; minus infinity if it was never held. */
  freedAt(job: string): number {
    return this.#freedAt.get(job) ?? Number.NEGATIVE_INFINITY;
  }

  see({ what, path, to = path }: Change): void {
    const { jobarrays } = this.#layout;
    const isOfArray = (file: string) =>
      file.startsWith(`${jobarrays}/`) || this.arrayOf(nameOf(file).replace(/\.ini$/, "")) !== undefined;
    if (this.#plans.length === 0 || (!isOfArray(path) && !isOfArray(to))) return;
    if (what === "rename" && /\/(held|cancelled)\.[^/]+$/.test(path) && to.endsWith(".out")) {
      this.#world.fail(`numbers that do not wait become jobs: ${path} to ${to}`);
    }
    const held = this.in("array held");
    this.#places = this.#read();
    for (const job of held) if (this.placeOf(job) !== "array held") this.#freedAt.set(job, this.#world.time);
    for (const plan of this.#accepted) {
      for (const job of namesOf(plan)) this.#seeOne(job, `${what} ${path} ${to}`);
    }
  }

  #seeOne(job: string, after: string): void {
    const places = this.#places.get(job) ?? [];
    const right = this.#out.has(job) ? 0 : 1;
    if (places.length === right) return;
    const kind = places.length > right ? "twice" : "lost";
    this.#world.fail(`${kind}: number ${job} in [${places}] after ${after}`);
  }

  #read(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    const files = filesOf(this.#server);
    const inRooms = this.#plans.flatMap(({ name }) =>
      Object.entries(WHOLE).flatMap(([room, place]) =>
        inFile(`${this.#layout.root}/${room}/${name}.ini`, name, place, files),
      ),
    );
    for (const [job, place] of [...inRooms, ...readArrays(this.#layout.root, files).placed]) {
      found.set(job, [...(found.get(job) ?? []), place]);
    }
    return found;
  }
}
