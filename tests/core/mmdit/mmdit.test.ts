import { read, scoped, type Tensor, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { Mmdit, type MmditInputs } from "../../../packages/core/mmdit/mmdit.ts";
import { positions } from "../../../packages/core/mmdit/positions.ts";
import { loadModule } from "../../../packages/core/nn/load.ts";
import type { MmditConfig } from "../../../packages/core/model_folder/configs.ts";
import { F32, gpu, scaledError } from "../../helpers/gpu.ts";
import { type Named, sourceOf } from "../nn/_random_weights.ts";
import { randomCase, type Sizes, smallConfig } from "./_random_case.ts";

/** Odd grids, batches, heads and head sizes, no blocks of a kind, rows that are no multiple of 4. */
const CASES: readonly (readonly [string, Partial<MmditConfig>, Sizes])[] = [
  ["two samples, 7 text tokens, guidance", { guidance_embed: true }, { batch: 2, rows: 3, columns: 5, tokens: 7 }],
  ["one text token, heads of 6", { num_heads: 5, axes_dim: [2, 2, 2] }, { batch: 1, rows: 1, columns: 7, tokens: 1 }],
  ["no double blocks", { depth: 0, depth_single_blocks: 2 }, { batch: 3, rows: 3, columns: 3, tokens: 2 }],
  ["no single blocks", { depth: 2, depth_single_blocks: 0 }, { batch: 2, rows: 5, columns: 1, tokens: 7 }],
  ["no blocks", { depth: 0, depth_single_blocks: 0 }, { batch: 2, rows: 3, columns: 1, tokens: 1 }],
  ["no bias in qkv", { qkv_bias: false, num_heads: 1 }, { batch: 1, rows: 3, columns: 5, tokens: 7 }],
  ["an odd MLP", { mlp_ratio: 2.5, axes_dim: [2, 4, 4] }, { batch: 2, rows: 1, columns: 1, tokens: 1 }],
  ["another theta and four heads of 16", { num_heads: 4, axes_dim: [4, 6, 6], theta: 100, mlp_ratio: 4 }, {
    batch: 2,
    rows: 7,
    columns: 5,
    tokens: 3,
  }],
];

/** The network's inputs from those of a case. */
function inputsOf(io: Named, { axes_dim, theta }: MmditConfig, { batch }: Sizes): MmditInputs {
  const upload = (name: string) => tensor(gpu, io.get(name)!.values, io.get(name)!.shape);
  const part = (name: string, sample: number) => {
    const { values } = io.get(name)!;
    const size = values.length / batch;
    return [...values.subarray(sample * size, (sample + 1) * size)];
  };
  const ids = Array.from({ length: batch }, (_, sample) => [...part("txt_ids", sample), ...part("img_ids", sample)]);
  const guidance = io.get("guidance")?.values;
  return {
    img: upload("img"),
    txt: upload("txt"),
    y: upload("y"),
    pe: positions(gpu, Float32Array.from(ids.flat()), { batch, axes_dim, theta }),
    timesteps: [...io.get("timesteps")!.values],
    ...(guidance && { guidance: [...guidance] }),
  };
}

describe.each(CASES)("Mmdit with %s", (_, parts, sizes) => {
  const config = smallConfig(parts);

  test("equals the reference in every intermediate value", async () => {
    const { weights, io, expected } = randomCase(config, sizes);
    const network = new Mmdit(config);
    await loadModule(gpu, network, { source: sourceOf(weights), precision: "f32" });
    const seen = new Map<string, Tensor>();
    const observe = (name: string, value: Tensor) => void seen.set(name, value.retain());
    scoped(gpu, () => observe("out", network.forward(inputsOf(io, config, sizes), observe)));
    expect([...seen.keys()].sort()).toEqual([...expected.keys()].sort());
    const values = await read(...seen.values());
    [...seen].forEach(([name, { shape }], i) => {
      expect([name, shape]).toEqual([name, expected.get(name)!.shape]);
      expect([name, scaledError(values[i]!, expected.get(name)!.values) < F32]).toEqual([name, true]);
    });
    for (const value of seen.values()) value.release();
    network.dispose();
  });
});

test("Mmdit needs a guidance if it has an embedding for it", async () => {
  const config = smallConfig({ guidance_embed: true });
  const sizes = { batch: 1, rows: 1, columns: 1, tokens: 1 };
  const { weights, io } = randomCase(config, sizes);
  io.delete("guidance");
  const network = new Mmdit(config);
  await loadModule(gpu, network, { source: sourceOf(weights), precision: "f32" });
  expect(() => network.forward(inputsOf(io, config, sizes))).toThrow("it has a guidance embedding");
  network.dispose();
});

test("Mmdit leaves nothing on the GPU but its result", async () => {
  const config = smallConfig({});
  const sizes = { batch: 2, rows: 3, columns: 5, tokens: 7 };
  const { weights, io } = randomCase(config, sizes);
  const network = new Mmdit(config);
  await loadModule(gpu, network, { source: sourceOf(weights), precision: "f32" });
  const { pe, ...inputs } = inputsOf(io, config, sizes);
  const before = gpu.memory.live;
  const out = network.forward({ pe, ...inputs });
  await read(out);
  out.dispose();
  expect(gpu.memory.live).toBe(before);
  for (const each of [pe.cos, pe.sin, inputs.img, inputs.txt, inputs.y]) each.dispose();
  network.dispose();
});
