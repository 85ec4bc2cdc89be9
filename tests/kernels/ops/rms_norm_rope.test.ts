import { rmsNorm, rmsNormRope, rope, Tape } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
import { read } from "@fluxsr/kernels";

/** [B, L, H, D]: one of all, primes, more than a workgroup, heads of FLUX; D = 6 has no form of its own. */
const SHAPES = [[1, 1, 1, 4], [2, 7, 3, 12], [3, 23, 2, 64], [1, 13, 5, 128], [2, 3, 2, 6]] as const;
const WAYS = [["its own", gpu], ["hardware's", hardwareGpu()]] as const;

test.each(SHAPES.flatMap((shape) => WAYS.map(([way, on]) => [shape, way, on] as const)))(
  "rmsNormRope() of %j in %s way is rope() of rmsNorm()",
  async (shape, _, on) => {
    const [batches, length, , width] = shape;
    const x = randomTensor(shape, 1, on).tensor;
    const scale = randomTensor([width], 2, on).tensor;
    for (const tables of new Set([1, batches])) {
      const cos = randomTensor([tables, length + 5, width / 2], 3, on).tensor;
      const sin = randomTensor([tables, length + 5, width / 2], 4, on).tensor;
      const places = { cos, sin, first: 2 };
      const [expected] = await read(rope(rmsNorm(x, { scale, eps: 1e-3 }), places));
      await expectClose(rmsNormRope(x, { ...places, scale, eps: 1e-3 }), expected!);
    }
  },
);

test.each(["x", "scale"] as const)("rmsNormRope() is the two ops where the gradient of %s is wanted", (wanted) => {
  const inputs = { x: randomTensor([1, 3, 2, 8]).tensor, scale: randomTensor([8]).tensor };
  const tables = { cos: randomTensor([1, 3, 4]).tensor, sin: randomTensor([1, 3, 4]).tensor };
  using tape = new Tape(gpu);
  tape.watch(inputs[wanted]);
  rmsNormRope(inputs.x, { ...tables, scale: inputs.scale });
  expect(tape.nodes.map(({ op }) => op)).toEqual(["rms_norm", "rope"]);
});

test("rmsNormRope() refuses what does not fit", () => {
  const [x, scale] = [randomTensor([1, 3, 2, 8]).tensor, randomTensor([8]).tensor];
  const tables = { cos: randomTensor([1, 3, 4]).tensor, sin: randomTensor([1, 3, 4]).tensor };
  expect(() => rmsNormRope(x, { ...tables, scale: randomTensor([4]).tensor })).toThrow("scale must be [8]");
  expect(() => rmsNormRope(x, { ...tables, scale, first: 1 })).toThrow("cos must be [1, 4, 4]");
});
