import { expect, test } from "vitest";
import { timeSchedule, timeShift } from "../../../packages/core/flow/schedule.ts";
import { diffusersModules } from "../../../packages/core/model_folder/diffusers_modules.ts";
import type { MmditConfig } from "../../../packages/core/model_folder/configs.ts";
import * as autoencoder from "../../core/autoencoder/_random_case.ts";
import { randomCase, referenceResults, smallConfig } from "../../core/mmdit/_random_case.ts";
import type { Named } from "../../core/nn/_random_weights.ts";
import { random } from "../../helpers/gpu.ts";
import { run, temporaryRoot, writeCase } from "./_write_case.ts";

const GUIDED = smallConfig({ guidance_embed: true, depth: 2, mlp_ratio: 1.5 });

async function expectPass(root: string, count: number): Promise<string[]> {
  const { lines, totals } = await run(root);
  expect([...lines.filter((line) => !line.includes("] pass: ")), totals]).toEqual([
    `${count} passed, 0 failed, 0 skipped`,
  ]);
  return lines;
}

/** Writes a random `mmdit` case of other sizes than the bundled one. */
async function writeMmdit(root: string, name: string, config: MmditConfig, batch: number) {
  const made = randomCase(config, { batch, rows: 3, columns: 5, tokens: 1 + batch });
  const files = { "weights.safetensors": made.weights, "io.safetensors": new Map([...made.io, ...made.expected]) };
  await writeCase(root, { name, kind: "mmdit", config, files });
  return made;
}

test("mmdit: one and three samples, without guidance, blocks of one kind, grid 3x5", async () => {
  const root = temporaryRoot();
  await writeMmdit(root, "one", smallConfig({}), 1);
  await writeMmdit(root, "three", smallConfig({ depth: 0, num_heads: 5, axes_dim: [2, 2, 2], qkv_bias: false }), 3);
  await writeMmdit(root, "two", smallConfig({ depth_single_blocks: 0, guidance_embed: true, theta: 50 }), 2);
  await expectPass(root, 3);
});

/**
 * Central differences at all elements of `values`. The step balances what they leave out, about its square, and the f32
 * results of the reference, 1e-7 over it: both far below the tolerance of 1e-3.
 */
function slopes(values: Float32Array<ArrayBuffer>, loss: (values: Float32Array<ArrayBuffer>) => number) {
  const step = 1 / 128;
  return values.map((value, i) => {
    const at = (distance: number) => loss(values.with(i, value + distance));
    return (at(step) - at(-step)) / (2 * step);
  });
}

/** A probe for the output of a case and the loss that it makes of results. */
function probed(shape: readonly number[]) {
  const probe = { shape, values: random(shape, 55) };
  const loss = (results: Named) =>
    results.get("out")!.values.reduce((sum, value, i) => sum + value * probe.values[i]!, 0);
  return { probe, loss };
}

test("mmdit: gradients, of a weight that changes nothing too", async () => {
  const root = temporaryRoot();
  const config = smallConfig({ depth_single_blocks: 0, num_heads: 2 });
  const { weights, io, expected } = randomCase(config, { batch: 2, rows: 1, columns: 3, tokens: 2 });
  const { probe, loss } = probed(expected.get("out")!.shape);
  const grads: Named = new Map();
  for (const name of ["double_blocks.0.txt_attn.norm.key_norm.scale", "double_blocks.0.txt_mlp.2.bias"]) {
    const { shape, values } = weights.get(name)!;
    const changed = (values: Float32Array<ArrayBuffer>) => new Map([...weights, [name, { shape, values }]]);
    const found = slopes(values, (values) => loss(referenceResults(config, changed(values), io)));
    grads.set(name, { shape, values: found });
  }
  for (const name of ["txt", "y"]) {
    const { shape, values } = io.get(name)!;
    const changed = (values: Float32Array<ArrayBuffer>) => new Map([...io, [name, { shape, values }]]);
    const found = slopes(values, (values) => loss(referenceResults(config, weights, changed(values))));
    grads.set(`grad.${name}`, { shape, values: found });
  }
  const files = {
    "weights.safetensors": weights,
    "io.safetensors": new Map([...io, ...expected, ["probe", probe]]),
    "grads.safetensors": grads,
  };
  await writeCase(root, { name: "gradients", kind: "mmdit", config, files });
  const [line] = await expectPass(root, 1);
  expect(line).toContain(", grads ");
  expect(grads.get("double_blocks.0.txt_mlp.2.bias")!.values.every((slope) => slope === 0)).toBe(true);

  grads.get("grad.y")!.values[0]! *= -1;
  await writeCase(root, { name: "gradients", kind: "mmdit", config, files });
  expect((await run(root)).lines[0]).toMatch(/fail: forward .*, grads 1 of 4 fail, worst \S+ \(grad.y: /);
});

test("mmdit-diffusers-names: finds weights that differ in one bit", async () => {
  const root = temporaryRoot();
  const { weights, io } = await writeMmdit(root, "base", GUIDED, 1);
  const named: Named = new Map();
  for (const [module, { module: bfl, part, parts, swapHalves }] of diffusersModules(2, 1)) {
    for (const parameter of ["weight", "bias"]) {
      const found = weights.get(`${bfl}.${bfl.endsWith("_norm") && parameter === "weight" ? "scale" : parameter}`);
      if (!found) continue;
      const [rows = 0, ...inner] = found.shape;
      const step = found.values.length / rows;
      const first = part * GUIDED.hidden_size;
      const end = part === parts - 1 ? rows : first + GUIDED.hidden_size;
      const values = swapHalves
        ? Float32Array.of(...found.values.subarray(rows / 2 * step), ...found.values.subarray(0, rows / 2 * step))
        : found.values.slice(first * step, end * step);
      named.set(`${module}.${parameter}`, { shape: [end - first, ...inner], values });
    }
  }
  const config = { ...GUIDED, same_weights_as: "../base/weights.safetensors", io: "../base/io.safetensors" };
  const kind = "mmdit-diffusers-names";
  await writeCase(root, { name: "named", kind, config, files: { "weights.diffusers.safetensors": named } });
  expect(io.has("guidance")).toBe(true);
  await expectPass(root, 2);

  const { shape, values } = named.get("x_embedder.bias")!;
  const bits = new Uint32Array(values.slice().buffer);
  bits[0]! ^= 1;
  named.set("x_embedder.bias", { shape, values: new Float32Array(bits.buffer) });
  await writeCase(root, { name: "named", kind, config, files: { "weights.diffusers.safetensors": named } });
  const { lines } = await run(root);
  expect(lines[1]).toMatch(/fail: weights 1 of \d+ fail, worst \S+ \(img_in.bias: \S+ > 0\), forward \S+ \(/);
});

test("autoencoder: 4 groups, odd latents, one to three levels", async () => {
  const root = temporaryRoot();
  for (
    const [name, parts, batch] of [["one", { ch_mult: [1] }, 3], ["two", {}, 2], [
      "three",
      { ch_mult: [1, 2, 1] },
      1,
    ]] as const
  ) {
    const config = autoencoder.smallConfig(parts);
    const { weights, io, expected } = autoencoder.randomCase(config, { batch, height: 3, width: 5 });
    const files = { "weights.safetensors": weights, "io.safetensors": new Map([...io, ...expected]) };
    await writeCase(root, { name, kind: "autoencoder", config, files });
  }
  await expectPass(root, 3);
});

test("lora: some targets, of different ranks, and gradients of some factors", async () => {
  const root = temporaryRoot();
  const { weights, io } = await writeMmdit(root, "base", GUIDED, 2);
  const ranks = {
    "double_blocks.1.txt_attn.qkv": 1,
    "single_blocks.0.linear2": 3,
    "final_layer.linear": 3,
    "img_in": 2,
  };
  const alpha = 3;
  const factors: Named = new Map();
  for (const [target, rank] of Object.entries(ranks)) {
    const [out = 0, inner = 0] = weights.get(`${target}.weight`)!.shape;
    factors.set(`${target}.lora_A.weight`, { shape: [rank, inner], values: random([rank, inner], 41) });
    factors.set(`${target}.lora_B.weight`, { shape: [out, rank], values: random([out, rank], 42) });
  }
  /** What the reference makes of weights with these factors merged into them. */
  const results = (factors: Named) => {
    const merged = new Map<string, { values: ArrayLike<number> }>(weights);
    for (const [target, rank] of Object.entries(ranks)) {
      const { shape: [, inner = 0], values } = weights.get(`${target}.weight`)!;
      const [a, b] = ["A", "B"].map((factor) => factors.get(`${target}.lora_${factor}.weight`)!.values);
      const changed = Array.from(values, (value, i) => {
        const [row, column] = [Math.floor(i / inner), i % inner];
        for (let r = 0; r < rank; r++) value += alpha / rank * b![row * rank + r]! * a![r * inner + column]!;
        return value;
      });
      merged.set(`${target}.weight`, { values: changed });
    }
    return referenceResults(GUIDED, merged, io);
  };
  const expected = results(factors);
  const { probe, loss } = probed(expected.get("out")!.shape);
  const grads: Named = new Map(
    ["img_in.lora_A.weight", "final_layer.linear.lora_B.weight"].map((name) => {
      const { shape, values } = factors.get(name)!;
      const changed = (values: Float32Array<ArrayBuffer>) => new Map([...factors, [name, { shape, values }]]);
      return [name, { shape, values: slopes(values, (values) => loss(results(changed(values)))) }];
    }),
  );
  const config = { base_case: "../base", base_config: GUIDED, alpha, targets: Object.keys(ranks) };
  const files = {
    "lora.safetensors": factors,
    "io.safetensors": new Map([...expected, ["probe", probe]]),
    "grads.safetensors": grads,
  };
  await writeCase(root, { name: "lora", kind: "lora", config, files });
  const lines = await expectPass(root, 2);
  expect(lines[1]).toMatch(/^lora \[lora\] pass: forward .*, grads .*, merged /);

  await writeCase(root, { name: "lora", kind: "lora", config: { ...config, targets: ["img_in"] }, files });
  expect((await run(root)).lines[1]).toContain("must have an adapter for each target: differs in double_blocks.1");
});

test("sampling: another number of steps, and schedules without a trajectory", async () => {
  const root = temporaryRoot();
  const shift = { base_shift: 0.3, max_shift: 1.4 };
  const schedule = (steps: number, tokens?: number) => {
    const times = timeSchedule(steps, tokens === undefined ? undefined : timeShift(tokens, shift));
    return { shape: [steps + 1], values: Float32Array.from(times) };
  };
  const io: Named = new Map([["schedule.700.5", schedule(5, 700)], ["schedule.noshift.2", schedule(2)]]);
  await writeCase(root, { name: "schedules", kind: "sampling", config: shift, files: { "io.safetensors": io } });

  const config = { ...GUIDED, out_channels: GUIDED.in_channels };
  const base = await writeMmdit(root, "base", config, 2);
  const { shape } = base.io.get("img")!;
  const timesteps = [...schedule(3, 15).values];
  let x = random(shape, 9);
  io.set("noise", { shape, values: x });
  timesteps.slice(1).forEach((next, step) => {
    const t = timesteps[step]!;
    const each = (value: number) => ({ shape: [2], values: Float32Array.of(value, value) });
    const changes: Named = new Map([["img", { shape, values: x }], ["timesteps", each(t)], ["guidance", each(2.5)]]);
    const v = referenceResults(config, base.weights, new Map([...base.io, ...changes])).get("out")!.values;
    x = x.map((value, i) => value + (next - t) * v[i]!);
    io.set(`x.${step + 1}`, { shape, values: x });
  });
  const mu = { 15: timeShift(15, shift) };
  const denoise = { num_steps: 3, image_seq_len: 15, guidance: 2.5, timesteps };
  await writeCase(root, {
    name: "trajectory",
    kind: "sampling",
    config: { ...shift, mu, base_case: "../base", base_config: config, denoise },
    files: { "io.safetensors": io },
  });
  await expectPass(root, 3);
});
