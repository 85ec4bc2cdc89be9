import { empty, type Gpu, kernel, read, tensor } from "@fluxsr/kernels";
import { requireSamples } from "../check.ts";
import { gpuTimes } from "../measure.ts";
import { picks, random } from "../random.ts";
import source from "./copy.wgsl" with { type: "text" };

const WORKGROUP = 64;
/** Values that one thread copies. */
const PER_THREAD = 16;

const copy = kernel({
  name: "copy",
  sources: [source],
  entry: "forward",
  binds: { x: "read", y: "write" },
});

/** GB/s, read and written, of copying more than the caches hold: the best run, as nothing that disturbs makes it faster. */
export async function copyCeiling(gpu: Gpu): Promise<number> {
  const length = (gpu.adapter.software ? 2 ** 26 : 2 ** 29) / 4;
  const data = random(length);
  const x = tensor(gpu, data, [length]);
  const y = empty(gpu, [length]);
  // Two dimensions, since one holds 65535 workgroups; no workgroup too many.
  const groups = [length / PER_THREAD / WORKGROUP / 8, 8, 1] as const;
  const run = () => gpu.run(copy, { buffers: [x.buffer, y.buffer], params: {}, groups });
  run();
  const [values = new Float32Array()] = await read(y);
  requireSamples("the copy ceiling", [values], picks(length, 64).map((at) => ({ at, expected: data[at]! })));
  const times = await gpuTimes(gpu, run);
  x.dispose();
  y.dispose();
  gpu.trim();
  return 2 * 4 * length / Math.min(...times) / 1e6;
}
