import v8 from "node:v8";

/**
 * The daemons import this module first. Most of their objects live only for a short time. By default, V8 lets its young
 * generation grow to 48 MB, and its old generation to twice the size of the live objects. A host with many workers needs this
 * memory many times. Small generations are collected more often, but each collection costs no more.
 */
v8.setFlagsFromString("--semi-space-growth-factor=1");
v8.setFlagsFromString("--heap-growing-percent=30");
// A daemon runs much code, but runs each part of it rarely, and waits for the kernel most of the time. The optimizing compiler
// uses a fifth of a worker's CPU time in its first thousands of jobs, and saves nothing even after a hundred thousand.
v8.setFlagsFromString("--no-opt");
