import v8 from "node:v8";

/**
 * Imported first by the daemons. What they allocate dies young, and V8 would let its young generation grow to 48 MB
 * for it all the same, and its old one to twice what lives, in each of many workers on a host. Kept small, both are
 * collected more often, and each time as cheaply.
 */
v8.setFlagsFromString("--semi-space-growth-factor=1");
v8.setFlagsFromString("--heap-growing-percent=30");
// Their own work is spread thinly over much code, and most of it is the kernel's: the optimizing compiler takes from the
// jobs a fifth of what a worker uses in its first thousands of jobs, and gives nothing back after a hundred thousand.
v8.setFlagsFromString("--no-opt");
