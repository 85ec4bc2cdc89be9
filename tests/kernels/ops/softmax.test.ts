import { gradients, read, type ScoreAddend, softmax, Tape, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { gpu, randomTensor } from "../../helpers/gpu.ts";
import { hardwareGpu } from "../../helpers/ways.ts";
import * as reference from "../../reference/softmax.ts";

/** The bias [H, L, L] of distances [H, 2 L - 1]. */
function expanded(distances: ArrayLike<number>, { heads, tokens }: { heads: number; tokens: number }) {
  const each = 2 * tokens - 1;
  return Float32Array.from({ length: heads * tokens * tokens }, (_, i) => {
    const head = Math.floor(i / tokens ** 2), query = Math.floor(i / tokens) % tokens, key = i % tokens;
    return distances[head * each + tokens - 1 + key - query]!;
  });
}

describe.each([["a software adapter", gpu], ["hardware", hardwareGpu()]])("on %s", (_, on) => {
  test.each<[number[], number[]]>([
    [[1], [1]],
    [[7], [7]],
    [[3, 1], [3, 1]],
    [[2, 5], [5]],
    [[2, 3, 5, 65], [5, 65]],
    [[2, 3, 4, 12], [3, 4, 12]],
    [[65538, 2], [2]],
  ])("softmax() of %j with a bias of %j and its gradients", async (x, bias) => {
    const width = x.at(-1)!;
    await expectGradients({ x, bias }, {
      op: ({ x, bias }) => softmax(x!, { bias: bias! }),
      reference: ({ x, bias }) => reference.softmax(x!, { bias: bias!, width }),
      on,
    });
  });

  test.each([[1, 1, 1], [2, 3, 5], [1, 2, 8], [2, 2, 68]])(
    "softmax() of %i x %i matrices of %i tokens by distance is that of the whole bias to the bit, and so is its gradient",
    async (batch, heads, tokens) => {
      const shape = [batch, heads, tokens, tokens];
      const { data, tensor: distances } = randomTensor([heads, 2 * tokens - 1], 2, on);
      const bias = tensor(on, expanded(data, { heads, tokens }), [heads, tokens, tokens]);
      const seed = randomTensor(shape, 3, on).tensor;
      const run = async (addend: ScoreAddend) => {
        const { tensor: x } = randomTensor(shape, 1, on);
        using tape = new Tape(on);
        tape.watch(x);
        const y = softmax(x, addend);
        return await read(y, ...gradients(tape, y, { seed, wanted: [x] }));
      };
      expect(await run({ distances })).toEqual(await run({ bias }));
    },
  );
});

test("softmax() refuses distances of other sizes, and scores that are not square", () => {
  const { tensor: x } = randomTensor([2, 3, 4, 4]);
  expect(() => softmax(x, { distances: randomTensor([3, 8]).tensor })).toThrow(
    'Cannot run "softmax": distances must be [3, 7]: it is [3, 8]',
  );
  expect(() => softmax(randomTensor([3, 4, 5]).tensor, { distances: x })).toThrow(
    'Cannot run "softmax": distances are of square scores: x is [3, 4, 5]',
  );
});

test("softmax() takes scores beyond exp's range, and a mask leaves nothing of what it covers", async () => {
  const x = tensor(gpu, new Float32Array([1000, 999, 998, -1000, -1001, -1002]), [2, 3]);
  const bias = tensor(gpu, new Float32Array([0, 0, -1e30, 0, -1e30, -1e30]), [2, 3]);
  const [y = []] = await read(softmax(x, { bias }));
  const e = 1 / (1 + Math.exp(-1));
  expect(Array.from(y, (value) => Number(value.toFixed(6)))).toEqual(
    [e, 1 - e, 0, 1, 0, 0].map((each) => Number(each.toFixed(6))),
  );
});

test("softmax() refuses a bias of other axes", () => {
  const { tensor: x } = randomTensor([2, 3, 4]);
  for (const shape of [[2, 4], [4, 4], [1, 2, 3, 4]]) {
    expect(() => softmax(x, { bias: randomTensor(shape).tensor })).toThrow(
      `Cannot run "softmax": bias must have the last axes of x: x is [2, 3, 4], bias [${shape.join(", ")}]`,
    );
  }
});
