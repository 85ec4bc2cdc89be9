import { expect, test } from "vitest";
import { randomCase, smallConfig } from "../../core/autoencoder/_random_case.ts";
import type { Named } from "../../core/nn/_random_weights.ts";
import { random } from "../../helpers/gpu.ts";
import { autoencoder } from "../../reference/autoencoder.ts";
import { slope } from "../../reference/central_differences.ts";
import { run, temporaryRoot, writeCase } from "./_write_case.ts";

/** Groups of one channel at the finer level, and of two. */
const CONFIG = smallConfig({ ch: 8, ch_mult: [1, 2], norm_num_groups: 8, z_channels: 3 });
const { weights, io, expected } = randomCase(CONFIG, { batch: 2, height: 3, width: 1 });
for (const [probe, result] of [["probe_latent", "latent"], ["probe_decode", "decoded"]] as const) {
  const { shape } = expected.get(result)!;
  io.set(probe, { shape, values: random(shape, 7) });
}

/** Every so many-th element of the gradients of some weights; the last is the bias before groups of one channel. */
const STRIDES = {
  "encoder.down.0.downsample.conv.weight": 97,
  "encoder.down.1.block.0.nin_shortcut.weight": 31,
  "encoder.norm_out.bias": 1,
  "decoder.conv_in.weight": 71,
  "decoder.mid.attn_1.norm.weight": 1,
  "decoder.up.1.upsample.conv.weight": 401,
  "decoder.up.0.block.1.conv1.bias": 1,
};
const ZERO = "decoder.up.0.block.1.conv1.bias";

/** Signs of the first elements in the fourth statistic: bit 0 of MurmurHash3's finaliser of 0, 1, 2, ... */
const SIGNS = [..."+-+---++--++-+--"].map((sign) => sign === "+" ? 1 : -1);

/** The loss of one half in the reference, with other values of `name`. */
function lossOf(half: "encoder" | "decoder", name: string, values: ArrayLike<number>): number {
  const changed = (all: Named) => new Map<string, { values: ArrayLike<number> }>(all).set(name, { values });
  const [network, given] = [autoencoder(CONFIG, changed(weights)), changed(io)];
  const [input, probe] = half === "encoder" ? ["image", "probe_latent"] : ["z", "probe_decode"];
  const { shape: [batch = 0, channels = 0, height = 0, width = 0] } = io.get(input!)!;
  const size = channels * height * width;
  let loss = 0;
  for (let sample = 0; sample < batch; sample++) {
    const plane = Array.from(given.get(input!)!.values).slice(sample * size, (sample + 1) * size);
    const x = { channels, height, width, values: plane };
    const y = half === "encoder" ? network.encode(x) : network.decode(x);
    y.values.forEach((value, i) => loss += value * given.get(probe!)!.values[sample * y.values.length + i]!);
  }
  return loss;
}

/** The gradient of every `stride`-th element by central differences. */
function slopes(half: "encoder" | "decoder", name: string, stride = 1): Float32Array<ArrayBuffer> {
  const values = Array.from((weights.get(name) ?? io.get(name))!.values);
  return Float32Array.from({ length: Math.ceil(values.length / stride) }, (_, k) => {
    const at = k * stride;
    return slope((distance) => lossOf(half, name, values.with(at, values[at]! + distance)));
  });
}

function gradientFile(): Named {
  const grads: Named = new Map();
  for (const [half, input] of [["encoder", "image"], ["decoder", "z"]] as const) {
    grads.set(`grad.${input}`, { shape: io.get(input)!.shape, values: slopes(half, input) });
  }
  for (const [name, stride] of Object.entries(STRIDES)) {
    const values = slopes(name.startsWith("encoder") ? "encoder" : "decoder", name, stride);
    grads.set(name, { shape: [values.length], values });
    if (stride !== 1) continue;
    const sum = (of: (value: number, k: number) => number) => values.reduce((sum, value, k) => sum + of(value, k), 0);
    const norm = Math.sqrt(sum((value) => value ** 2));
    const stats = [sum((value) => value), sum(Math.abs), norm, sum((value, k) => value * SIGNS[k]!)];
    grads.set(`${name}@stats`, { shape: [4], values: Float32Array.from(stats) });
  }
  return grads;
}

test("autoencoder: gradients in part, with statistics, of pictures and latents; a wrong one is found", async () => {
  const root = temporaryRoot();
  const grads = gradientFile();
  const write = async (change: (grads: Named) => void) => {
    const changed: Named = new Map(
      [...grads].map(([name, { shape, values }]) => [name, { shape, values: values.slice() }]),
    );
    change(changed);
    const golden = {
      name: "x",
      kind: "autoencoder",
      config: CONFIG,
      files: {
        "weights.safetensors": weights,
        "io.safetensors": new Map([...io, ...expected]),
        "grads.safetensors": changed,
      },
      tolerances: { forward: { rtol: 2e-4, atol: 1e-6 }, grads: { rtol: 1e-4, atol: 2e-5 } },
      grad_strides: STRIDES,
      analytically_zero_grads: [ZERO],
    };
    await writeCase(root, golden);
    return (await run(root)).lines[0];
  };
  expect(await write(() => {})).toMatch(/^x \[autoencoder\] pass: forward .*, grads \S+ \(.*\)$/);

  // Nine tensors, of each one element, and three times four statistics.
  const spoilAll = (grads: Named) =>
    grads.forEach(({ values }, name) =>
      name.endsWith("@stats") ? values.forEach((_, i) => values[i]! += 0.1) : values[2]! += 0.1
    );
  expect(await write(spoilAll)).toContain("grads 21 of 21 fail");
  expect(await write((grads) => grads.set("decoder.absent", grads.get(ZERO)!))).toContain("absent: not produced");
});
