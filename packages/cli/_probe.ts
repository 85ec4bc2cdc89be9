import { openGpu, read, scoped, Tape, tensor, gradients } from "@fluxsr/kernels";
import { loadLpips, tvLpips } from "@fluxsr/core";
using gpu = await openGpu();
let t = performance.now();
const net = await loadLpips(gpu);
console.log("load", performance.now() - t, gpu.memory);
const rnd = () => tensor(gpu, Float32Array.from({ length: 256 * 256 * 3 }, () => Math.random() * 2 - 1), [1, 256, 256, 3]);
const [a, b] = [rnd(), rnd()];
const base = gpu.memory.live;
for (const mode of ["infer", "tape", "recompute"]) {
  t = performance.now();
  const { live } = gpu.memory;
  let peak = 0;
  const run = gpu.run.bind(gpu);
  (gpu as any).run = (...x: any[]) => { peak = Math.max(peak, gpu.memory.live); return (run as any)(...x); };
  if (mode === "infer") { const y = net.forward(a, b); console.log(await read(y)); y.dispose(); }
  else {
    using tape = new Tape(gpu, { recompute: mode === "recompute" }); tape.watch(a);
    const y = tvLpips(a, b, { lpips: net, gamma: 0.5 });
    const [d] = scoped(gpu, () => gradients(tape, y, { seed: tensor(gpu, Float32Array.of(1), [1]), wanted: [a] }));
    await read(d!); d!.dispose(); y.dispose();
  }
  console.log(mode, "ms", Math.round(performance.now() - t), "peak MiB over base", (peak - base) / 2 ** 20, "left", gpu.memory.live - live);
}
