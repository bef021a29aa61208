import { fileURLToPath } from "node:url";

/** Where fjord is installed. A bundle of this, too, lies three directories below. */
export const PACKAGE_ROOT = fileURLToPath(new URL("../../..", import.meta.url));
