import { read, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { Ema } from "../../../packages/train/optim/ema.ts";
import { gpu, randomTensor, scaledError } from "../../helpers/gpu.ts";

const [ALIVE, STOPPED] = [1, 0].map((alive) => tensor(gpu, Float32Array.of(1, alive), [2]));

test("Ema follows weights that are changed in place, and stops with the optimiser", async () => {
  const live = gpu.memory.live;
  const [a, b] = [randomTensor([2, 3], 1), randomTensor([5], 2)];
  {
    using ema = new Ema(new Map([["a", a.tensor], ["b", b.tensor]]), { decay: 0.5 });
    gpu.write(a.tensor.buffer, Float32Array.of(2, 2, 2, 2, 2, 2));
    ema.update({ control: ALIVE!, steps: 1000 });
    gpu.write(b.tensor.buffer, new Float32Array(5).fill(NaN));
    ema.update({ control: STOPPED!, steps: 1001 });
    const [averageA, averageB] = await read(...ema.averages.values());
    expect([...ema.averages.keys()]).toEqual(["a", "b"]);
    expect(scaledError(averageA!, a.data.map((value) => value + 0.5 * (2 - value)))).toBeLessThan(1e-6);
    expect(averageB).toEqual(b.data);
  }
  a.tensor.dispose();
  b.tensor.dispose();
  expect(gpu.memory.live).toBe(live);
});

test("Ema soon forgets where it began", async () => {
  const { tensor: a } = randomTensor([3], 1);
  {
    using ema = new Ema(new Map([["a", a]]), { decay: 0.999 });
    const [before] = await read(a);
    gpu.write(a.buffer, Float32Array.of(2, 2, 2));
    ema.update({ control: ALIVE!, steps: 1 });
    const [average] = await read(...ema.averages.values());
    expect(scaledError(average!, before!.map((value) => value + 9 / 11 * (2 - value)))).toBeLessThan(1e-6);
  }
  a.dispose();
});
