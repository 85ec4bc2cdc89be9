import { emaUpdate, read, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";

const ALIVE = tensor(gpu, Float32Array.of(0.1, 1), [2]);
const STOPPED = tensor(gpu, Float32Array.of(0.1, 0), [2]);

test.each([[[1]], [[65]], [[2, 3, 31, 5]]])("emaUpdate() matches the formula for shape %j", async (shape) => {
  const [average, x] = [randomTensor(shape, 1), randomTensor(shape, 2)];
  emaUpdate(average.tensor, x.tensor, { decay: 0.75, control: ALIVE });
  await expectClose(average.tensor, average.data.map((value, i) => 0.75 * value + 0.25 * x.data[i]!), 1e-6);
});

test("emaUpdate() with a decay near 1 does not lose the rate to rounding", async () => {
  const average = tensor(gpu, Float32Array.of(0), [1]);
  emaUpdate(average, tensor(gpu, Float32Array.of(1), [1]), { decay: 0.9999, control: ALIVE });
  const [value] = await read(average);
  expect(value![0]).toBe(Math.fround(1 - 0.9999));
});

test("emaUpdate() changes nothing when control says stop", async () => {
  const average = randomTensor([5]);
  emaUpdate(average.tensor, tensor(gpu, new Float32Array(5).fill(NaN), [5]), { decay: 0.5, control: STOPPED });
  expect(await read(average.tensor)).toEqual([average.data]);
});
