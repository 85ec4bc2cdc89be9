import { add, attention, type Gpu, kernel, matmul, scoped, tensor } from "@fluxsr/kernels";
import source from "./mark.wgsl" with { type: "text" };
import { summary } from "./measure.ts";
import type { ResultRow } from "./report.ts";

/** Recorded at once: less than a batch of the runtime, so that nothing is submitted on the way. */
const MANY = 1000;
const RUNS = 9;

/**
 * Processor time of one dispatch, with warm caches: to record an empty kernel, to submit it, and to record whole ops, which
 * check shapes, choose a kernel and take memory from the pool.
 */
export async function dispatchTimes(gpu: Gpu): Promise<ResultRow[]> {
  const nothing = kernel({ name: "nothing", sources: [source], entry: "mark", binds: {} });
  using x = tensor(gpu, new Float32Array(16), [4, 4]);
  using tokens = tensor(gpu, new Float32Array(64), [1, 4, 2, 8]);
  const empty = () => gpu.run(nothing, { buffers: [], params: {}, groups: [1, 1, 1] });
  const records: Readonly<Record<string, () => void>> = {
    dispatch: empty,
    add: () => add(x, x).dispose(),
    matmul: () => matmul(x, x).dispose(),
    attention: () => scoped(gpu, () => void attention(tokens, tokens, tokens)),
  };
  const rows: ResultRow[] = [];
  const row = (what: string, shape: string, times: readonly number[]) =>
    rows.push({ name: `runtime/${what}`, shape, origin: "processor time of one", ...summary(times) });
  for (const [what, record] of Object.entries(records)) {
    row(what, "recorded", await processorTimes(gpu, { prepare: () => {}, timed: () => repeat(record) }));
  }
  row(
    "submit",
    `one of ${MANY}`,
    await processorTimes(gpu, { prepare: () => repeat(empty), timed: () => gpu.flush() }),
  );
  return rows;
}

/** Milliseconds of `timed`, divided by how many it deals with; its first run, which compiles, does not count. */
async function processorTimes(
  gpu: Gpu,
  { prepare, timed }: { prepare: () => void; timed: () => void },
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i <= RUNS; i++) {
    prepare();
    const start = performance.now();
    timed();
    times.push((performance.now() - start) / MANY);
    await gpu.sync();
  }
  return times.slice(1);
}

function repeat(record: () => void): void {
  for (let i = 0; i < MANY; i++) record();
}
