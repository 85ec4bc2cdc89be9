import { full, gradients, read, scoped, Tape, type Tensor, tensor, totalVariation } from "@fluxsr/kernels";
import { AdamW, type FtdBatch, ftdGroups, GradientSum } from "@fluxsr/train";
import { upload } from "./autoencoder_network.ts";
import type { GoldenCase, Tensors, Values } from "./case.ts";
import { compareAll, compareL2, type Group } from "./compare.ts";
import { intermediates } from "./ftd_intermediates.ts";
import { loadStepNetworks, type StepNetworks } from "./ftd_networks.ts";
import type { Handler } from "./handler.ts";
import { Recorder } from "./recorder.ts";

/** Optimiser steps of a case. */
const STEPS = [1, 2, 3];

/** The terms of the loss, by their names in a case. */
const TERMS = { ftd: "ftd", mse: "mse", tvlpips: "tv_lpips", adl: "adl" } as const;

/** `ftd-step`: a step of Algorithm 1 in all its parts, and three steps of AdamW. */
export const ftdStep: Handler = async (golden, gpu) => {
  const io = await golden.tensors("io.safetensors");
  using loaded = await loadStepNetworks(golden, gpu, io);
  using batch = openBatch(golden, { io, loaded });
  using step = new Step(golden, { loaded, batch });
  return {
    groups: [
      ...await compareIntermediates(golden, { io, loaded, batch }),
      ...await step.compareSteps(io),
      ...await step.compareTerms(),
      await step.compareOptimiser(),
      await step.compareChain(),
    ],
    skipped: [],
  };
};

/** The encoded pictures of a case. */
function openBatch(golden: GoldenCase, { io, loaded }: { io: Tensors; loaded: StepNetworks }): FtdBatch {
  const { autoencoder, gpu } = loaded;
  const given = (name: string) => upload(gpu, io.get(name)!);
  const tensors = scoped(gpu, () => {
    const x_0 = given("x0");
    const encode = (x: Tensor) => autoencoder.encode([x])[0]!;
    return { eps: given("eps"), x_0, z_0: encode(x_0), z_L: encode(given("xL")) };
  });
  return {
    ...tensors,
    t: [golden.config.number("t")],
    samples: [golden.name],
    [Symbol.dispose]: () => Object.values(tensors).forEach((each) => each.dispose()),
  };
}

async function compareIntermediates(
  golden: GoldenCase,
  { io, ...step }: { io: Tensors; loaded: StepNetworks; batch: FtdBatch },
): Promise<Group[]> {
  const actual = await intermediates(golden, step);
  const expected = only(io, (name) => actual.has(name));
  const isGradient = (name: string) => name.startsWith("grad.");
  return [
    compareAll(
      "forward",
      { actual, expected: only(expected, (name) => !isGradient(name)) },
      golden.tolerance("forward"),
    ),
    compareAll("picture grads", { actual, expected: only(expected, isGradient) }, golden.tolerance("grads")),
  ];
}

/** The losses of a case as functions of its adapters. */
class Step implements Disposable {
  readonly #golden: GoldenCase;
  readonly #batch: FtdBatch;
  readonly #stage: ConstructorParameters<typeof GradientSum<FtdBatch>>[0];
  /** Of the pictures of the last evaluation, [1] each: the two parts of TV-LPIPS. */
  readonly #parts = new Recorder();

  constructor(golden: GoldenCase, { loaded, batch }: { loaded: StepNetworks; batch: FtdBatch }) {
    const { config } = golden;
    const weights = { ftd: 1, mse: 1, latent_mse: 0, tv_lpips: config.number("lambda"), adl: config.number("mu") };
    this.#golden = golden;
    this.#batch = batch;
    const observe = (name: string, value: Tensor) => {
      if (name !== "x_0hat") return;
      scoped(value.gpu, () => {
        this.#parts.observe("lpips", loaded.lpips.forward(value, batch.x_0));
        this.#parts.observe("tv_lpips", loaded.lpips.forward(totalVariation(value), totalVariation(batch.x_0)));
      });
    };
    this.#stage = { gpu: loaded.gpu, weights: loaded.weights, groups: ftdGroups(loaded.networks, weights, observe) };
  }

  /** Losses and gradients at the adapters that each step starts from, and the losses after the last. */
  async compareSteps(io: Tensors): Promise<Group[]> {
    const losses = new Map<string, number[]>();
    const groups: Group[] = [];
    for (const k of [0, ...STEPS]) {
      this.#setWeights(await this.#file(`lora.step${k}`));
      using found = await this.#gradients();
      const [own, total] = [await hostValues(found.losses), await hostValues(this.#named(found.total))];
      const note = (name: string, from: Tensors, term: string) => {
        losses.set(`loss_${name}`, [...losses.get(`loss_${name}`) ?? [], from.get(term)?.values[0] ?? NaN]);
      };
      for (const [name, term] of Object.entries({ ...TERMS, total: "total" })) note(name, own, term);
      const parts = await this.#parts.read();
      for (const name of parts.keys()) note(name, parts, name);
      if (k === STEPS.length) continue;
      groups.push(...this.#compareGradients(`step ${k + 1}`, total, await this.#file(`grads.step${k + 1}`)));
    }
    const actual = new Map([...losses].map(([name, values]) => [name, vector(values)]));
    const expected = only(io, (name) => actual.has(name));
    return [compareAll("losses", { actual, expected }, this.#golden.tolerance("losses")), ...groups];
  }

  /** The gradient of every single term at the first adapters. */
  async compareTerms(): Promise<Group[]> {
    this.#setWeights(await this.#file("lora.step0"));
    const { gpu, weights, groups } = this.#stage;
    const wanted = [...weights.values()];
    const found = new Map<string, Tensor>();
    for (const { loss } of groups) {
      using tape = new Tape(gpu);
      for (const weight of wanted) tape.watch(weight);
      const terms = await loss(this.#batch);
      using seed = full(gpu, [1], 1);
      for (const [name, term] of Object.entries(TERMS)) {
        const value = terms[term];
        const own = value ? gradients(tape, value, { seed, wanted, unused: "zero" }) : [];
        [...weights.keys()].forEach((weight, i) => own[i] && found.set(`${name}/${weight}`, own[i]));
      }
      for (const each of Object.values(terms)) each.dispose();
    }
    const actual = await hostValues(found);
    for (const each of found.values()) each.dispose();
    const expected = await this.#file("grads.terms");
    // By term, all factors in one row. In the term of LPIPS a pixel of x0hat that is off by a rounding, as PyTorch's in
    // float32 are too, may decide a ReLU of the perceptual network the other way: few factors see no more than that.
    const bound = this.#golden.bound("grads", "relative_l2");
    const comparisons = Object.keys(TERMS).map((term) => {
      const ours = [...expected.keys()].filter((name) => name.startsWith(`${term}/`));
      const row = (tensors: Tensors) => ours.flatMap((name) => [...tensors.get(name)?.values ?? [NaN]]);
      return compareL2(term, { actual: row(actual), expected: row(expected) }, bound);
    });
    return [
      compareAll("terms grads", { actual, expected }, this.#golden.tolerance("grads")),
      { name: "terms grads l2", comparisons },
    ];
  }

  /** AdamW by itself, on the gradients of the case. */
  async compareOptimiser(): Promise<Group> {
    this.#setWeights(await this.#file("lora.step0"));
    const { gpu, weights } = this.#stage;
    using optimiser = this.#optimiser();
    const comparisons = [];
    for (const k of STEPS) {
      const given = await this.#file(`grads.step${k}`);
      scoped(gpu, () => {
        const own = [...weights].map(([name, { shape }]) => tensor(gpu, given.get(name)!.values, shape));
        this.#descend(optimiser, own as [Tensor, ...Tensor[]]);
      });
      const tensors = { actual: await hostValues(weights), expected: await this.#file(`lora.step${k}`) };
      comparisons.push(...compareAll("", tensors, this.#golden.tolerance("optimizer_alone")).comparisons);
    }
    return { name: "optimizer_alone", comparisons };
  }

  /** All together: how far the adapters have gone after each step, by our own gradients. */
  async compareChain(): Promise<Group> {
    const start = await this.#file("lora.step0");
    this.#setWeights(start);
    using optimiser = this.#optimiser();
    const bound = this.#golden.bound("params_chain", "relative_l2_of_update");
    const comparisons = [];
    for (const k of STEPS) {
      using found = await this.#gradients();
      this.#descend(optimiser, found.total);
      const actual = differences(await hostValues(this.#stage.weights), start);
      const expected = differences(await this.#file(`lora.step${k}`), start);
      comparisons.push(compareL2(`update ${k}`, { actual, expected }, bound));
    }
    return { name: "params_chain", comparisons };
  }

  [Symbol.dispose](): void {
    this.#parts[Symbol.dispose]();
  }

  async #gradients() {
    using sum = new GradientSum(this.#stage, { parts: 1, recompute: false, separate: false });
    await sum.add(this.#batch);
    return sum.finish();
  }

  #compareGradients(name: string, actual: Tensors, expected: Tensors): Group[] {
    const bound = this.#golden.bound("grads", "relative_l2");
    const comparisons = [...expected].map(([tensor, { values }]) =>
      compareL2(tensor, { actual: actual.get(tensor)?.values ?? [], expected: values }, bound)
    );
    return [
      compareAll(`${name} grads`, { actual, expected }, this.#golden.tolerance("grads")),
      { name: `${name} grads l2`, comparisons },
    ];
  }

  #optimiser(): AdamW {
    const config = this.#golden.config.object("optimizer");
    const [beta1, beta2] = config.numbers("betas");
    const [eps, weightDecay] = [config.number("eps"), config.number("weight_decay")];
    return new AdamW(this.#stage.weights, { beta1: beta1!, beta2: beta2!, eps, weightDecay });
  }

  #descend(optimiser: AdamW, gradients: readonly [Tensor, ...Tensor[]]): void {
    optimiser.step(gradients, { lr: this.#golden.config.object("optimizer").number("lr") }).dispose();
  }

  #named(tensors: readonly Tensor[]): ReadonlyMap<string, Tensor> {
    return new Map([...this.#stage.weights.keys()].map((name, i) => [name, tensors[i]!]));
  }

  #setWeights(values: Tensors): void {
    for (const [name, { gpu, buffer }] of this.#stage.weights) gpu.write(buffer, values.get(name)!.values);
  }

  #file(name: string): Promise<Tensors> {
    return this.#golden.tensors(`${name}.safetensors`);
  }
}

async function hostValues(tensors: ReadonlyMap<string, Tensor>): Promise<Tensors> {
  const parts = await read(...tensors.values());
  return new Map([...tensors].map(([name, { shape }], i) => [name, { shape, values: parts[i]! }]));
}

function only(tensors: Tensors, isWanted: (name: string) => boolean): Tensors {
  return new Map([...tensors].filter(([name]) => isWanted(name)));
}

function vector(values: readonly number[]): Values {
  return { shape: [values.length], values: Float32Array.from(values) };
}

/** `a - b` of all tensors in one row, in the order of b. */
function differences(a: Tensors, b: Tensors): number[] {
  return [...b].flatMap(([name, { values }]) =>
    Array.from(values, (value, i) => (a.get(name)?.values[i] ?? NaN) - value)
  );
}
