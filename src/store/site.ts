import type { Access } from "../project/access.js";
import type { Layout } from "../project/layout.js";
import type { Settings } from "../project/settings.js";
import type { Store } from "./store.js";

/** Directory of a project, with the store, the paths and the settings to use there. */
export interface Site {
  readonly store: Store;
  readonly layout: Layout;
  readonly settings: Settings;
  /** Users who may read and write the files of the project. */
  readonly access: Access;
}
