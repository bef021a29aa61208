import fs from "node:fs";
import v8 from "node:v8";

/**
 * This module is loaded before a daemon's own code (NODE_OPTIONS). On each SIGUSR2 it appends a line to the file that
 * FJORD_TEST_ALLOCATIONS names. The line is the number of bytes that were allocated on V8's heap since the last line.
 * Between two garbage collections the heap grows by the bytes that are allocated. V8 reports its size before and after
 * each collection, so the sum is exact.
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
