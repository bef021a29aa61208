import v8 from "node:v8";

/**
 * Imported first by the daemons. What they allocate dies young, and V8 would let its young generation grow to 48 MB
 * for it all the same, and its old one to twice what lives, in each of many workers on a host. Kept small, both are
 * collected more often, and each time as cheaply.
 */
v8.setFlagsFromString("--semi-space-growth-factor=1");
v8.setFlagsFromString("--heap-growing-percent=30");
