import { describe, test } from "vitest";
import { interpolate, lowResolutionPoint, oneStep, velocity } from "../../../packages/core/flow/trajectory.ts";
import { expectClose, randomTensor } from "../../helpers/gpu.ts";

const SHAPE = [1, 3, 5, 4];
const x = randomTensor(SHAPE, 1);
const eps = randomTensor(SHAPE, 2);

/** `a x + b eps`, element by element. */
function mixed(a: number, b: number): Float32Array {
  return x.data.map((value, i) => a * value + b * eps.data[i]!);
}

test("interpolate() is Eq. 7: (1 - t) x_0 + t eps", async () => {
  for (const t of [0, 0.3, 1]) await expectClose(interpolate(x.tensor, eps.tensor, t), mixed(1 - t, t));
});

test("velocity() is Eq. 9: eps - x_0", async () => {
  await expectClose(velocity(x.tensor, eps.tensor), mixed(-1, 1));
});

describe("lowResolutionPoint()", () => {
  test("is Eq. 16: (1 - t)/(1 - T_L) z_L + (t - T_L)/(1 - T_L) eps", async () => {
    await expectClose(lowResolutionPoint(x.tensor, eps.tensor, { t: 0.6, T_L: 0.25 }), mixed(0.4 / 0.75, 0.35 / 0.75));
  });

  test("is the picture at T_L and noise at 1", async () => {
    await expectClose(lowResolutionPoint(x.tensor, eps.tensor, { t: 0.25, T_L: 0.25 }), x.data);
    await expectClose(lowResolutionPoint(x.tensor, eps.tensor, { t: 1, T_L: 0.25 }), eps.data);
  });
});

describe("oneStep()", () => {
  test("is Eq. 18: z_L - T_L v", async () => {
    await expectClose(oneStep(x.tensor, eps.tensor, 0.25), mixed(1, -0.25));
  });

  test("undoes interpolate() when the velocity is exact", async () => {
    const z_L = interpolate(x.tensor, eps.tensor, 0.4);
    await expectClose(oneStep(z_L, velocity(x.tensor, eps.tensor), 0.4), x.data);
  });
});
