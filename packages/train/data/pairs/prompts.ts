import { InputError, type Model, openWeights } from "@fluxsr/core";
import { type Gpu, read, type Tensor, tensor } from "@fluxsr/kernels";
import { bytesOf, sha256 } from "./sha256.ts";

/** What the transformer is told of a text: `txt` [1, T, context_in_dim] and `y` [1, vec_in_dim]. */
type Conditioning = Model["conditioning"];

/** The texts that pairs are made with, in turn. */
export class Prompts {
  readonly count: number;
  readonly #txt: Float32Array<ArrayBuffer>;
  readonly #y: Float32Array<ArrayBuffer>;
  readonly #widths: readonly [context_in_dim: number, vec_in_dim: number];

  /** @param data `txt` [P, T, context_in_dim] and `y` [P, vec_in_dim] */
  constructor(
    data: { txt: Float32Array<ArrayBuffer>; y: Float32Array<ArrayBuffer> },
    { context_in_dim, vec_in_dim }: { context_in_dim: number; vec_in_dim: number },
  ) {
    this.#txt = data.txt;
    this.#y = data.y;
    this.#widths = [context_in_dim, vec_in_dim];
    this.count = data.y.length / vec_in_dim;
  }

  /** Which prompt pair `i` has. */
  of(i: number): number {
    return i % this.count;
  }

  /** Prompts `indices`, one a sample, on the GPU; the caller's own. */
  conditioning(gpu: Gpu, indices: readonly number[]): Conditioning {
    const [context, pooled] = this.#widths;
    const batch = indices.length;
    const [txt, y] = [joined(this.#txt, indices, this.count), joined(this.#y, indices, this.count)];
    return {
      txt: tensor(gpu, txt, [batch, txt.length / batch / context, context]),
      y: tensor(gpu, y, [batch, pooled]),
    };
  }

  /** Tells these prompts from others. */
  async digest(): Promise<string> {
    return await sha256([`${this.count} ${this.#widths}\n`, bytesOf(this.#txt), bytesOf(this.#y)]);
  }
}

/**
 * The prompts in the safetensors file `path`: tensors `txt` [P, T, context_in_dim] and `y` [P, vec_in_dim], of which a
 * single prompt may leave out the P. Without a file, the model's own text.
 *
 * @throws {InputError} if a tensor is missing, does not fit the transformer, or is not finite
 */
export async function readPrompts(model: Model, path: string | undefined): Promise<Prompts> {
  const widths = model.config.transformer;
  if (path === undefined) {
    const { txt, y } = model.conditioning;
    return new Prompts(await values(txt, y), widths);
  }
  using source = await openWeights(path);
  const txt = await source.readF32("txt"), y = await source.readF32("y");
  const fail = (state: string) => new InputError(`Cannot use prompts "${path}": ${state}`);
  const shapes = { txt: source.tensors.get("txt")!.shape, y: source.tensors.get("y")!.shape };
  const [P = 0, , context] = shapes.txt.length === 2 ? [1, ...shapes.txt] : shapes.txt;
  const [pooledP = 0, pooled] = shapes.y.length === 1 ? [1, ...shapes.y] : shapes.y;
  if (context !== widths.context_in_dim || txt.length === 0 || shapes.txt.length > 3) {
    throw fail(`txt must be [P, T, ${widths.context_in_dim}]: it is [${shapes.txt.join(", ")}]`);
  }
  if (pooled !== widths.vec_in_dim || pooledP !== P || shapes.y.length > 2) {
    throw fail(`y must be [${P}, ${widths.vec_in_dim}]: it is [${shapes.y.join(", ")}]`);
  }
  for (const [name, numbers] of Object.entries({ txt, y })) {
    if (!numbers.every(Number.isFinite)) throw fail(`${name} must be finite: it has NaN or infinity`);
  }
  return new Prompts({ txt, y }, widths);
}

async function values(txt: Tensor, y: Tensor) {
  const [first, second] = await read(txt, y);
  return { txt: first!, y: second! };
}

/** Parts `indices` of `count` equal ones, one after another. */
function joined(
  all: Float32Array<ArrayBuffer>,
  indices: readonly number[],
  count: number,
): Float32Array<ArrayBuffer> {
  const length = all.length / count;
  const result = new Float32Array(indices.length * length);
  indices.forEach((index, k) => result.set(all.subarray(index * length, (index + 1) * length), k * length));
  return result;
}
