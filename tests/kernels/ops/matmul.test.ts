import { matmul, sizeOf, Tape, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, gpu, random, randomTensor } from "../../helpers/gpu.ts";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { gelu, silu } from "../../reference/activation.ts";
import { matmulReference } from "../../reference/matmul.ts";

/** One element, primes, tile + 1, sizes that need scalar reads, narrow and wide. */
const SIZES = [[1, 1, 1], [7, 5, 3], [8, 8, 8], [65, 12, 9], [9, 65, 66], [2, 130, 4], [130, 4, 70], [
  33,
  64,
  20,
]] as const;
const MODES = [[false, false], [false, true], [true, false], [true, true]] as const;

describe.each(SIZES)("matmul() of %i x %i x %i", (m, k, n) => {
  test.each(MODES)("matches the reference with transposeA %s, transposeB %s", async (transposeA, transposeB) => {
    const a = randomTensor(transposeA ? [k, m] : [m, k], 1);
    const b = randomTensor(transposeB ? [n, k] : [k, n], 2);
    const expected = matmulReference(a.data, b.data, { m, k, n, transposeA, transposeB });
    await expectClose(matmul(a.tensor, b.tensor, { transposeA, transposeB }), expected);
  });

  test.each(MODES)("matches it for batch 2 with transposeA %s, transposeB %s", async (transposeA, transposeB) => {
    const a = randomTensor([2, ...(transposeA ? [k, m] : [m, k])], 3);
    const b = randomTensor([2, ...(transposeB ? [n, k] : [k, n])], 4);
    const expected = matmulReference(a.data, b.data, { m, k, n, batches: 2, transposeA, transposeB });
    await expectClose(matmul(a.tensor, b.tensor, { transposeA, transposeB }), expected);
  });

  test("shares a 2-D right side between the batches", async () => {
    const a = randomTensor([2, 3, m, k], 5);
    const b = randomTensor([n, k], 6);
    const expected = matmulReference(a.data, b.data, { m: 6 * m, k, n, transposeB: true });
    const c = matmul(a.tensor, b.tensor, { transposeB: true });
    expect(c.shape).toEqual([2, 3, m, n]);
    await expectClose(c, expected);
  });

  test.each(["gelu", "silu"] as const)("fuses alpha, bias, addend and %s", async (activation) => {
    const [a, b] = [randomTensor([m, k], 7), randomTensor([k, n], 8)];
    const [bias, addend] = [randomTensor([n], 9), randomTensor([m, n], 10)];
    const act = { gelu, silu }[activation];
    const expected = matmulReference(a.data, b.data, { m, k, n })
      .map((value, i) => act(0.5 * value + bias.data[i % n]! + addend.data[i]!));
    const options = { alpha: 0.5, bias: bias.tensor, addend: addend.tensor, activation };
    await expectClose(matmul(a.tensor, b.tensor, options), expected);
  });

  test("adds itself to a residual through a gate for each batch", async () => {
    const [a, b] = [randomTensor([2, m, k], 11), randomTensor([n, k], 12)];
    const [bias, to, gate] = [randomTensor([n], 13), randomTensor([2, m, n], 14), randomTensor([2, n], 15)];
    const expected = matmulReference(a.data, b.data, { m: 2 * m, k, n, transposeB: true }).map((value, i) =>
      to.data[i]! + gate.data[Math.floor(i / (m * n)) * n + i % n]! * (0.5 * value + bias.data[i % n]!)
    );
    const residual = { to: to.tensor, gate: gate.tensor };
    const options = { transposeB: true, alpha: 0.5, bias: bias.tensor, residual };
    await expectClose(matmul(a.tensor, b.tensor, options), expected);
  });
});

test("matmul() refuses a residual or a gate of another shape", () => {
  const [a, b] = [randomTensor([2, 3, 4]).tensor, randomTensor([4, 8]).tensor];
  const [to, gate] = [randomTensor([2, 3, 8]).tensor, randomTensor([3, 8]).tensor];
  expect(() => matmul(a, b, { residual: { to, gate } })).toThrow("gate must be [2, 8]: it is [3, 8]");
  const [row, rows] = [randomTensor([3, 4]).tensor, randomTensor([3, 8]).tensor];
  expect(() => matmul(row, b, { residual: { to: rows, gate: rows } })).toThrow(
    "with a residual the product must be [B, M, N]: it is [3, 8]",
  );
});

test("matmul() leaves nothing behind where another op has its epilogue", () => {
  const [a, b] = [randomTensor([2, 3, 4]).tensor, randomTensor([4, 7]).tensor];
  const [to, gate] = [randomTensor([2, 3, 7]).tensor, randomTensor([2, 7]).tensor];
  const before = gpu.memory.live;
  matmul(a, b, { residual: { to, gate } }).dispose();
  expect(gpu.memory.live).toBe(before);
  const tape = new Tape(gpu);
  tape.watch(a);
  matmul(a, b, { activation: "gelu" }).dispose();
  tape.close();
  expect(gpu.memory.live).toBe(before);
});

test("matmul() with a residual has the gradients of all that go in", async () => {
  const [m, k, n] = [3, 5, 8];
  await expectGradients({ a: [2, m, k], b: [k, n], bias: [n], to: [2, m, n], gate: [2, n] }, {
    op: ({ a, b, bias, to, gate }) => matmul(a!, b!, { bias, residual: { to: to!, gate: gate! } }),
    reference: ({ a, b, bias, to, gate }) =>
      matmulReference(a!, b!, { m: 2 * m, k, n }).map((value, i) =>
        to![i]! + gate![Math.floor(i / (m * n)) * n + i % n]! * (value + bias![i % n]!)
      ),
  });
});

/** The upper half of each f32, and the f32 that it stands for. */
function bf16(values: Float32Array): { bytes: Uint8Array<ArrayBuffer>; exact: Float32Array } {
  const upper = new Uint16Array(new Uint32Array(values.slice().buffer).map((bits) => bits >>> 16));
  const exact = new Float32Array(Uint32Array.from(upper, (half) => half << 16).buffer);
  return { bytes: new Uint8Array(upper.buffer), exact };
}

function f16(values: Float32Array): { bytes: Uint8Array<ArrayBuffer>; exact: Float32Array } {
  const halves = new Float16Array(values);
  return { bytes: new Uint8Array(halves.buffer), exact: new Float32Array(halves) };
}

test.each([["bf16", bf16], ["f16", f16]] as const)(
  "matmul() reads %s weights without rounding them",
  async (dtype, pack) => {
    const [m, k, n] = [5, 68, 12];
    const a = randomTensor([m, k], 1);
    const { bytes, exact } = pack(random([n, k], 2));
    const expected = matmulReference(a.data, exact, { m, k, n, transposeB: true });
    await expectClose(matmul(a.tensor, tensor(gpu, bytes, [n, k], dtype), { transposeB: true }), expected);
    const plain = pack(random([k, n], 3));
    const other = matmulReference(a.data, plain.exact, { m, k, n });
    await expectClose(matmul(a.tensor, tensor(gpu, plain.bytes, [k, n], dtype)), other);
  },
);

test("matmul() as the low-rank branch of LoRA adds onto the base product", async () => {
  const [m, k, n, rank] = [11, 20, 13, 3];
  const [x, w] = [randomTensor([m, k], 1), randomTensor([n, k], 2)];
  const [a, b] = [randomTensor([rank, k], 3), randomTensor([n, rank], 4)];
  const base = matmul(x.tensor, w.tensor, { transposeB: true });
  const y = matmul(matmul(x.tensor, a.tensor, { transposeB: true }), b.tensor, {
    transposeB: true,
    alpha: 2,
    addend: base,
  });
  const low = matmulReference(x.data, a.data, { m, k, n: rank, transposeB: true });
  const change = matmulReference(low, b.data, { m, k: rank, n, transposeB: true });
  const expected = matmulReference(x.data, w.data, { m, k, n, transposeB: true }).map((v, i) => v + 2 * change[i]!);
  await expectClose(y, expected);
});

/** Batches of a and b, and sizes: one element, primes, tile + 1 in each, a batch each, and one b for all batches. */
const GRADIENTS = [
  [[], [], 1, 1, 1],
  [[], [], 3, 5, 4],
  [[], [], 9, 65, 13],
  [[], [], 65, 4, 9],
  [[2], [2], 5, 7, 11],
  [[2, 3], [], 7, 5, 9],
  [[1], [], 3, 8, 2],
  [[2], [], 130, 12, 66],
] as const;

describe.each(GRADIENTS)("matmul() of %j and %j, %i x %i x %i", (batchA, batchB, m, k, n) => {
  const batches = sizeOf(batchA);
  test.each(MODES)(
    "has the gradient of central differences, transposeA %s, transposeB %s",
    async (transposeA, transposeB) => {
      const shapes = {
        a: [...batchA, ...(transposeA ? [k, m] : [m, k])],
        b: [...batchB, ...(transposeB ? [n, k] : [k, n])],
        bias: [n],
        addend: [...batchA, m, n],
      };
      const kernels = await expectGradients(shapes, {
        op: ({ a, b, bias, addend }) => matmul(a!, b!, { transposeA, transposeB, alpha: 0.5, bias, addend }),
        reference: ({ a, b, bias, addend }) =>
          matmulReference(a!, b!, { m, k, n, batches, sharedB: batchB.length === 0, transposeA, transposeB })
            .map((value, i) => 0.5 * value + bias![i % n]! + addend![i]!),
      });
      expect(kernels["addend"]).toEqual([]);
      expect(new Set(kernels["bias"])).toEqual(new Set(["column_sum"]));
      const ofA = transposeA ? ["permute"] : [];
      expect(kernels["a"]).toEqual([`matmul.forward.n${transposeB ? "n" : "t"}`, ...ofA]);
      expect(kernels["b"]!.filter((name) => name.startsWith("matmul")).length).toBe(1);
    },
  );
});

test.each(["gelu", "silu"] as const)("matmul() with %s has the gradients of all that go in", async (activation) => {
  const [m, k, n] = [3, 5, 7];
  const act = { gelu, silu }[activation];
  await expectGradients({ a: [m, k], b: [k, n], bias: [n], addend: [m, n] }, {
    op: ({ a, b, bias, addend }) => matmul(a!, b!, { bias, addend, activation }),
    reference: ({ a, b, bias, addend }) =>
      matmulReference(a!, b!, { m, k, n }).map((value, i) => act(value + bias![i % n]! + addend![i]!)),
  });
});

test("matmul() differentiates through packed weights", async () => {
  const [m, k, n] = [5, 8, 12];
  const { bytes, exact } = bf16(random([n, k], 2));
  const weight = tensor(gpu, bytes, [n, k], "bf16");
  for (const transposeA of [false, true]) {
    const kernels = await expectGradients({ a: transposeA ? [k, m] : [m, k] }, {
      op: ({ a }) => matmul(a!, weight, { transposeA, transposeB: true }),
      reference: ({ a }) => matmulReference(a!, exact, { m, k, n, transposeA, transposeB: true }),
    });
    expect(kernels["a"]).toContain("matmul.forward.nn");
  }
});

test("matmul() refuses sizes that do not fit, in words", () => {
  const [a, b] = [randomTensor([4, 64]).tensor, randomTensor([128, 32]).tensor];
  expect(() => matmul(a, b)).toThrow("inner sizes and batches must match: a is [4, 64], b is [128, 32]");
  expect(() => matmul(a, randomTensor([64, 3]).tensor, { bias: randomTensor([4]).tensor })).toThrow("bias must be [3]");
  const odd = tensor(gpu, new Uint8Array(2 * 3 * 5), [3, 5], "f16");
  expect(() => matmul(randomTensor([4, 5]).tensor, odd, { transposeB: true })).toThrow("multiple of 4");
});
