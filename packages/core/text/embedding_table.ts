import { InputError } from "../errors.ts";
import { checkFinite } from "../weights/check.ts";
import { bytesPerElement, fromF32, isWeightDtype, toF32, type WeightDtype } from "../weights/dtypes/dtype.ts";
import { quote, showShape } from "../files/messages.ts";
import type { WeightSource } from "../weights/weight_source.ts";

/**
 * The learned vectors of tokens, looked up in host memory: a text needs a few hundred rows of T5-XXL's 263 MB, which would
 * be more than a storage binding may be. They stay as they are stored.
 */
export class EmbeddingTable {
  readonly #name: string;
  readonly #bytes: Uint8Array;
  readonly #dtype: WeightDtype;
  readonly #rows: number;
  readonly #width: number;

  private constructor(name: string, { bytes, dtype, shape: [rows, width] }: {
    bytes: Uint8Array;
    dtype: WeightDtype;
    shape: readonly [rows: number, width: number];
  }) {
    this.#name = name;
    this.#bytes = bytes;
    this.#dtype = dtype;
    this.#rows = rows;
    this.#width = width;
  }

  /** @throws {InputError} if `source` has no tensor `name` of this `shape`, or it is not finite */
  static async read(
    source: WeightSource,
    { name, shape }: { name: string; shape: readonly [rows: number, width: number] },
  ): Promise<EmbeddingTable> {
    const info = source.tensors.get(name);
    if (!info) throw new InputError(`Cannot load ${quote(source.path)}: tensors are missing: ${quote(name)}`);
    if (showShape(info.shape) !== showShape(shape)) {
      throw new InputError(
        `Cannot load ${quote(name)}: file has ${showShape(info.shape)}, model needs ${showShape(shape)}`,
      );
    }
    const dtype = isWeightDtype(info.dtype) ? info.dtype : "F32";
    const bytes = isWeightDtype(info.dtype)
      ? (await source.read(name)).bytes
      : fromF32(await source.readF32(name), "F32");
    checkFinite(name, { dtype, bytes }, { path: source.path });
    return new EmbeddingTable(name, { bytes, dtype, shape });
  }

  /** The vectors of `ids`, one after the other. @throws {InputError} if there is none for one of them */
  lookUp(ids: readonly number[]): Float32Array<ArrayBuffer> {
    const vectors = new Float32Array(ids.length * this.#width);
    const size = this.#width * bytesPerElement(this.#dtype);
    ids.forEach((id, i) => {
      if (id >= this.#rows) {
        throw new InputError(
          `Cannot encode text: tokens must be below ${this.#rows}, the rows of ${quote(this.#name)}: one is ${id}`,
          { hint: "the tokenizer and the text encoder are of different models" },
        );
      }
      vectors.set(toF32(this.#bytes.subarray(id * size, (id + 1) * size), this.#dtype), i * this.#width);
    });
    return vectors;
  }
}
