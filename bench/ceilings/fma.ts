import { type Gpu, kernel, read, tensor } from "@fluxsr/kernels";
import { requireSamples } from "../check.ts";
import { gpuTimes } from "../measure.ts";
import source from "./fma.wgsl" with { type: "text" };

const WORKGROUP = 64;
/** Multiply-adds of a thread in one round: 16 of three vec4. */
const PER_ROUND = 16 * 3 * 4;

const fma = kernel({
  name: "fma",
  sources: [source],
  entry: "forward",
  binds: { y: "read_write" },
  params: { rounds: "u32", factor: "f32", offset: "f32" },
});

/** GFLOP/s of multiply-adds in registers: the best run, since nothing that disturbs makes it faster. */
export async function fmaCeiling(gpu: Gpu): Promise<number> {
  const threads = gpu.adapter.software ? 2 ** 14 : 2 ** 20;
  const rounds = 500;
  const y = tensor(gpu, new Float32Array(4 * threads), [threads, 4]);
  const run = () =>
    gpu.run(fma, {
      buffers: [y.buffer],
      params: { rounds, factor: 0.5, offset: 0.25 },
      groups: [threads / WORKGROUP, 1, 1],
    });
  run();
  const [values = new Float32Array()] = await read(y);
  requireSamples("the multiply-add ceiling", [values], [0, values.length - 1].map((at) => ({ at, expected: 0.5 })));
  const times = await gpuTimes(gpu, run);
  y.dispose();
  return 2 * PER_ROUND * rounds * threads / Math.min(...times) / 1e6;
}
