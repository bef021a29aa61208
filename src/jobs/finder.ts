import type { Site } from "../store/site.js";
import { findJobs } from "./find.js";
import { findNamed } from "./find-named.js";
import type { JobPlace } from "./places.js";

/** For more than MOST names, a search lists all jobs. Up to FEW names are looked up one by one. */
const MOST = 1000;
const FEW = 100;

/**
 * Finds jobs again and again. For FEW to MOST names it measures whether listing or looking up is faster, and uses the faster way.
 */
export class Finder {
  readonly #site: Site;
  /** Times that the last search of each kind took, ms. */
  #named = Number.POSITIVE_INFINITY;
  #listed = Number.POSITIVE_INFINITY;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Rough estimate in ms of the time that the next search will take. */
  get cost(): number {
    return Math.min(this.#named, this.#listed);
  }

  /** @param names names to find; undefined for all jobs. The result may also hold jobs with other names */
  async find(names: ReadonlySet<string> | undefined): Promise<JobPlace[]> {
    const begin = performance.now();
    if (names === undefined || names.size > MOST || this.#isListingQuicker(names)) {
      const places = await findJobs(this.#site);
      this.#listed = performance.now() - begin;
      return places;
    }
    const places = await findNamed(this.#site, names);
    this.#named = performance.now() - begin;
    return places;
  }

  #isListingQuicker(names: ReadonlySet<string>): boolean {
    if (names.size <= FEW || this.#named === Number.POSITIVE_INFINITY) return false;
    return this.#listed === Number.POSITIVE_INFINITY || this.#listed < this.#named;
  }
}
