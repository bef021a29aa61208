import fs from "node:fs";
import v8 from "node:v8";

/**
 * Loaded before a daemon's own code (NODE_OPTIONS): on each SIGUSR2 it adds a line to the file that FJORD_TEST_ALLOCATIONS
 * names, the bytes that were allocated on V8's heap since the one before. What is allocated between two collections is
 * what the heap has grown by, and V8 tells its size before and after each: so the sum is exact, whenever they come.
 */
const out = process.env.FJORD_TEST_ALLOCATIONS ?? "/dev/null";

const used = () => v8.getHeapStatistics().used_heap_size;
let profiler = new v8.GCProfiler();
profiler.start();
let begin = used();

process.on("SIGUSR2", () => {
  const end = used();
  let allocated = end - begin;
  for (const { beforeGC, afterGC } of profiler.stop()?.statistics ?? []) {
    allocated += beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize;
  }
  fs.appendFileSync(out, `${allocated}\n`);
  profiler = new v8.GCProfiler();
  profiler.start();
  begin = used();
});
