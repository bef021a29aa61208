import { fileURLToPath } from "node:url";

/** Directory where fjord is installed. This file and the bundles are three directories below it. */
export const PACKAGE_ROOT = fileURLToPath(new URL("../../..", import.meta.url));
