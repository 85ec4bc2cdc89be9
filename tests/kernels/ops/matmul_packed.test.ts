import { type Dtype, matmul, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, gpu, random, randomTensor } from "../../helpers/gpu.ts";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { matmulReference } from "../../reference/matmul.ts";
import { expectedValues, quantised } from "../../core/weights/_quantised.ts";

const SIZES = [[1, 5, 256], [7, 11, 512]] as const;
const SCALE = 0.0625;

/** Packed [n, k] and its values: the blocks, or the finite f8, in an order in which neighbours differ. */
async function packed(dtype: Dtype, [n, k]: readonly [number, number]) {
  if (dtype === "f8_e4m3") {
    const table = await expectedValues(dtype);
    const bits = Uint8Array.from(
      random([n * k], 4),
      (value) => Math.floor((value + 1) * 127) % 127 | (value < 0 ? 128 : 0),
    );
    const bytes = new Uint8Array([...new Uint8Array(Float32Array.of(SCALE).buffer), ...bits]);
    return { bytes, values: Float32Array.from(bits, (each) => SCALE * table[each]!) };
  }
  const { bytes, values } = await quantised(dtype);
  const [size, elements] = [bytes.length / 6, values.length / 6];
  const order = Array.from({ length: n * k / elements }, (_, i) => (i * 5 + Math.floor(i / 6)) % 6);
  return {
    bytes: Uint8Array.from(order.flatMap((block) => [...bytes.subarray(block * size, (block + 1) * size)])),
    values: Float32Array.from(order.flatMap((block) => [...values.subarray(block * elements, (block + 1) * elements)])),
  };
}

describe.each(["q8_0", "q4_0", "q4_k", "q5_k", "f8_e4m3"] as const)("matmul() of %s weights", (dtype) => {
  test.each(SIZES)("of %i x %i x %i reads every element exactly, either way round", async (m, n, k) => {
    const { bytes, values } = await packed(dtype, [n, k]);
    const weight = tensor(gpu, bytes, [n, k], dtype);
    const a = randomTensor([m, k], 1);
    const expected = matmulReference(a.data, values, { m, k, n, transposeB: true });
    await expectClose(matmul(a.tensor, weight, { transposeB: true }), expected);
    const identity = Float32Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
    await expectClose(matmul(tensor(gpu, identity, [n, n]), weight), values, 1e-7);
  });

  test("differentiates with respect to the other side", async () => {
    const [m, n, k] = [2, 3, 256];
    const { bytes, values } = await packed(dtype, [n, k]);
    const weight = tensor(gpu, bytes, [n, k], dtype);
    const kernels = await expectGradients({ a: [m, k] }, {
      op: ({ a }) => matmul(a!, weight, { transposeB: true }),
      reference: ({ a }) => matmulReference(a!, values, { m, k, n, transposeB: true }),
    });
    expect(kernels["a"]).toEqual(["matmul.forward.nn"]);
  });
});

test("matmul() refuses rows that are not whole blocks", () => {
  const b = tensor(gpu, new Uint8Array(34 * 3), [2, 48], "q8_0");
  expect(() => matmul(randomTensor([1, 48]).tensor, b, { transposeB: true })).toThrow(
    "rows of q8_0 weights must be a multiple of 32: b is [2, 48]",
  );
});
