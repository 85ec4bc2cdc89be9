import { gradients, scoped, Tape, type Tensor } from "@fluxsr/kernels";
import { channelsFirst, type Network, transposed, upload } from "./autoencoder_network.ts";
import type { GoldenCase, Tensors, Values } from "./case.ts";
import { compare, type Group } from "./compare.ts";
import { compareStats } from "./gradient_stats.ts";
import { Recorder } from "./recorder.ts";

const FILE = "grads.safetensors";
const STATS = "@stats";

/** Compares the gradients that the case lists, if it does: of weights, every n-th element, and of `image` and `z`. */
export async function compareGradients(golden: GoldenCase, network: Network, io: Tensors): Promise<Group[]> {
  if (!golden.files.includes(FILE)) return [];
  const [actual, expected] = [await differentiate(network, io), await golden.tensors(FILE)];
  const tolerance = golden.tolerance("grads");
  const comparisons = [...expected].flatMap(([name, { values }]) => {
    if (!name.endsWith(STATS)) {
      const stored = strided(actual.get(name)?.values, golden.gradientStride(name));
      return compare(name, { actual: stored, expected: values }, tolerance);
    }
    const weight = name.slice(0, -STATS.length);
    const isZero = golden.zeroGradients.includes(weight);
    return compareStats(name, { actual: actual.get(weight)?.values, expected: values, isZero }, tolerance);
  });
  return [{ name: "grads", comparisons }];
}

function strided(values: Float32Array | undefined, stride: number): Float32Array | undefined {
  return values?.filter((_, k) => k % stride === 0);
}

/**
 * The gradients of `sum(latent * probe_latent)` with respect to the picture and the encoder's weights, and of
 * `sum(decoded * probe_decode)` with respect to the latent and the decoder's; laid out as in the case.
 */
async function differentiate({ gpu, autoencoder }: Network, io: Tensors): Promise<Tensors> {
  const parameters = new Map(autoencoder.parameters());
  using recorder = new Recorder();

  function loss(part: "encoder" | "decoder", { input, probe }: { input: string; probe: string }): void {
    const [given, weights] = [io.get(input), io.get(probe)];
    if (!given || !weights) return;
    scoped(gpu, () => {
      const x = upload(gpu, given);
      const names = new Map<string, Tensor>([[`grad.${input}`, x]]);
      for (const [name, { tensor }] of autoencoder[part].parameters(part)) names.set(name, tensor);
      using tape = new Tape(gpu);
      for (const tensor of names.values()) tape.watch(tensor);
      const [y] = part === "encoder" ? autoencoder.encode([x]) : autoencoder.decode([x]);
      const found = gradients(tape, y!, { seed: upload(gpu, weights), wanted: [...names.values()] });
      [...names.keys()].forEach((name, i) => recorder.observe(name, found[i]!));
    });
  }

  loss("encoder", { input: "image", probe: "probe_latent" });
  loss("decoder", { input: "z", probe: "probe_decode" });
  const asInCase = (name: string, values: Values): Values => {
    const parameter = parameters.get(name);
    if (!parameter) return channelsFirst(values);
    const { axes, shape } = parameter;
    return axes ? transposed(values, shape.map((_, axis) => axes.indexOf(axis))) : values;
  };
  return new Map([...await recorder.read()].map(([name, values]) => [name, asInCase(name, values)]));
}
