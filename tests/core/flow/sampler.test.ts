import { read, scale, subtract, type Tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { integrate, sample } from "../../../packages/core/flow/sampler.ts";
import { timeSchedule } from "../../../packages/core/flow/schedule.ts";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";

const SHAPE = [2, 15, 8];
const noise = randomTensor(SHAPE, 1);
const data = randomTensor(SHAPE, 2);

test("sample() reaches the data in any number of steps when the flow is straight", async () => {
  const velocity = () => subtract(noise.tensor, data.tensor);
  for (const steps of [1, 3, 7]) {
    await expectClose(await sample(noise.tensor, velocity, { times: timeSchedule(steps, 0.6) }), data.data);
  }
});

test("sample() is Euler's method: x (1 + (t' - t) t) for the velocity t x", async () => {
  const times = [1, 0.7, 0.2, 0];
  const asked: number[] = [];
  const states: Tensor[] = [];
  const steps: number[] = [];
  const x = await sample(noise.tensor, (x, t) => {
    asked.push(t);
    return scale(x, t);
  }, {
    times,
    observe(step, state) {
      steps.push(step);
      states.push(state.retain());
    },
  });
  expect(asked).toEqual([1, 0.7, 0.2]);
  expect(steps).toEqual([1, 2, 3]);
  const factors = [0.7, 0.7 * (1 - 0.5 * 0.7), 0.7 * (1 - 0.5 * 0.7) * (1 - 0.2 * 0.2)];
  for (const [i, state] of states.entries()) await expectClose(state, noise.data.map((value) => value * factors[i]!));
  expect((await read(x))[0]).toEqual((await read(states[2]!))[0]);
  for (const tensor of states) tensor.release();
  x.dispose();
});

test("integrate() holds no more states for more steps", async () => {
  const most = async (times: readonly number[]) => {
    gpu.buffers.restartPeak();
    using _ = await integrate(noise.tensor, (x) => Promise.resolve(scale(x, 0.5)), { times });
    return gpu.memory.livePeak;
  };
  expect(await most(timeSchedule(9))).toBe(await most(timeSchedule(2)));
});

test("sample() leaves nothing on the GPU but its result", async () => {
  const before = gpu.memory.live;
  const x = await sample(noise.tensor, (x) => scale(x, 0.5), { times: [1, 0.5, 0] });
  await read(x);
  x.dispose();
  expect(gpu.memory.live).toBe(before);
});
