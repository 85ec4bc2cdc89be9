import { InputError } from "@fluxsr/core";
import { concat, cosineToMean, full, type Gpu, gradients, scoped, Tape, tensor } from "@fluxsr/kernels";
import { attentionDiversification, layerDiversity } from "@fluxsr/train";
import type { GoldenCase, Tensors, Values } from "./case.ts";
import { compareAll } from "./compare.ts";
import type { Handler } from "./handler.ts";
import { Recorder } from "./recorder.ts";

/** `adl`: the attention diversification loss of given features of layers, and its gradient. */
export const adl: Handler = async (golden, gpu) => {
  const io = await golden.tensors("io.safetensors");
  const actual = await diversification(gpu, golden, io);
  const expected = (isWanted: (name: string) => boolean) => new Map([...io].filter(([name]) => isWanted(name)));
  const isGradient = (name: string) => name.startsWith("grad.");
  const results = expected((name) => !name.startsWith("features.") && !isGradient(name));
  return {
    groups: [
      compareAll("forward", { actual, expected: results }, golden.tolerance("forward")),
      compareAll("grads", { actual, expected: expected(isGradient) }, golden.tolerance("grads")),
    ],
    skipped: [],
  };
};

/** Everything that a case may list, by its names. */
async function diversification(gpu: Gpu, { config }: GoldenCase, io: Tensors): Promise<Map<string, Values>> {
  const eps = config.number("eps");
  using recorder = new Recorder();
  scoped(gpu, () => {
    const features = Array.from({ length: config.number("layers") }, (_, i) => {
      const given = io.get(`features.${i}`);
      if (!given) throw new InputError(`Cannot compute the loss: the case must give "features.${i}"`);
      return tensor(gpu, given.values, given.shape);
    });
    features.forEach((layer, i) => recorder.observe(`cosine.${i}`, cosineToMean(layer, { eps })));
    using tape = new Tape(gpu);
    for (const layer of features) tape.watch(layer);
    const layers = features.map((layer) => layerDiversity(layer, { eps }));
    const loss = attentionDiversification(layers);
    recorder.observe("adl", loss);
    const wanted = gradients(tape, loss, { seed: full(gpu, [1], 1), wanted: features });
    wanted.forEach((gradient, i) => recorder.observe(`grad.features.${i}`, gradient));
    recorder.observe("adl_layers", concat(layers, 0));
  });
  return await recorder.read();
}
