import { type Gpu, read, scopedAsync, tensor } from "@fluxsr/kernels";
import { BlockStream } from "../memory/block_stream.ts";
import type { Part } from "../nn/module.ts";
import type { T5Config } from "./configs.ts";
import { T5Encoder } from "./t5_encoder.ts";
import { readT5Tables, type T5Tables } from "./t5_tables.ts";
import { encoderLoader, type LoadedEncoder } from "./text_encoder.ts";
import type { TextFiles } from "./text_folder.ts";

/** Options of {@linkcode loadT5}. */
export interface T5Options {
  /** Tokens that each text is filled up to. */
  readonly tokens: number;
  /** How many blocks, of all from the first on, stay on the GPU; the others are loaded each time that they are needed. Default: all. */
  readonly residentBlocks?: number | undefined;
  /** Those of the same files and `tokens`, if they were read before. */
  readonly tables?: T5Tables | undefined;
}

/**
 * Loads T5, which makes the last hidden state [tokens, d_model] of a text that is filled up to `tokens` tokens: FLUX was
 * trained with the padding attended to, 512 tokens for FLUX.1-dev. Blocks that do not stay are loaded once for all texts
 * that are encoded together.
 *
 * @throws {InputError} if its weights cannot be used
 */
export async function loadT5(
  gpu: Gpu,
  files: Pick<TextFiles<T5Config>, "config" | "source">,
  { tokens, residentBlocks = Infinity, tables }: T5Options,
): Promise<LoadedEncoder> {
  const { d_model, num_heads, pad_token_id } = files.config;
  const { words, distances: values } = tables ?? await readT5Tables(files, { tokens });
  using held = new DisposableStack();
  held.defer(() => gpu.trim());
  const distances = held.use(tensor(gpu, values, [num_heads, 2 * tokens - 1]));
  const t5 = held.adopt(new T5Encoder(files.config), (module) => module.dispose());
  const loader = encoderLoader(gpu, t5, files);
  const blocks = [...t5.blocks()];
  const { final_layer_norm: norm } = t5.encoder;
  for (
    const { module, path } of [...blocks.slice(0, residentBlocks), { module: norm, path: "encoder.final_layer_norm" }]
  ) {
    await loader.load(module, path);
  }
  const parts = {
    load: ({ module, path }: Part) => loader.load(module, path),
    unload: ({ module }: Part) => module.dispose(),
    bytesOf: ({ module, path }: Part) => loader.bytesOf(module, path),
  };
  const stream = new BlockStream(gpu, { loader: parts, blocks, resident: residentBlocks });
  const all = held.move();
  const embedded = (ids: readonly number[]) => {
    const padded = [...ids, ...new Array<number>(tokens - ids.length).fill(pad_token_id)];
    return tensor(gpu, words.lookUp(padded), [1, tokens, d_model]);
  };
  return {
    encode: (texts, signal) =>
      scopedAsync(gpu, async () => {
        const passes = texts.map((ids) => t5.steps(embedded(ids), { distances }));
        const states = await stream.run(passes, { signal });
        const values: Float32Array<ArrayBuffer>[] = [];
        for (const state of states) {
          values.push((await read(state))[0]!);
          state.dispose();
        }
        return values;
      }),
    [Symbol.dispose]: () => all.dispose(),
  };
}
