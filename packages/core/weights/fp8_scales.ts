import { InputError } from "../errors.ts";
import { fromF32 } from "./dtypes/dtype.ts";
import { quote } from "../files/messages.ts";
import type { StreamedTensor } from "./streamed_tensor.ts";
import { type TensorInfo, type WeightSource, weightSource } from "./weight_source.ts";

/**
 * Tensors that scaled fp8 checkpoints, as ComfyUI writes them, have beside weights: a mark of the file and the scale of
 * each weight, under its old or its new name; what is of the inputs is for products in fp8.
 */
const EXTRA = /(^|\.)(scaled_fp8|scale_weight|scale_input|weight_scale|input_scale|comfy_quant)$/;

/**
 * `source`, where the one factor of all elements of an F8_E4M3 tensor `<layer>.weight`, if there is a tensor
 * `<layer>.scale_weight` or `.weight_scale`, is its `scale`. All scales are read at once.
 *
 * @throws {InputError} if a scale is not one finite number
 */
export async function withFp8Scales(source: WeightSource): Promise<WeightSource> {
  const tensors = new Map<string, TensorInfo>();
  for (const [name, info] of source.tensors) {
    if (!EXTRA.test(name)) tensors.set(name, { ...info, ...await scaleOf(source, name) });
  }
  if (tensors.size === source.tensors.size) return source;
  const find = (name: string) => {
    const info = tensors.get(name);
    if (info) return info;
    throw new InputError(`Cannot read ${quote(name)}: ${quote(source.path)} has no such tensor`);
  };
  return weightSource({
    path: source.path,
    tensors,
    metadata: source.metadata,
    read: async (name) => ({ ...find(name), bytes: (await source.read(name)).bytes }),
    stream: async (name) => ({ ...find(name), chunks: (await source.stream(name)).chunks }),
    close: () => source.close(),
  });
}

/** What is to be added to tensor `name`. */
async function scaleOf(source: WeightSource, name: string): Promise<{ scale?: number }> {
  if (source.tensors.get(name)?.dtype !== "F8_E4M3" || !/(^|\.)weight$/.test(name)) return {};
  const layer = name.slice(0, -"weight".length);
  const scaleName = [`${layer}scale_weight`, `${layer}weight_scale`].find((each) => source.tensors.has(each));
  if (scaleName === undefined) return {};
  const [scale, ...others] = await source.readF32(scaleName);
  if (scale === undefined || others.length > 0 || !Number.isFinite(scale)) {
    const where = `${quote(scaleName)} of ${quote(source.path)}`;
    throw new InputError(`Cannot read ${where}: a scale must be one finite number: it is not`);
  }
  return { scale };
}

/** `tensors` with the mark and the scales of those that have one: what {@linkcode withFp8Scales} and ComfyUI read. */
export function* scaleTensors(
  tensors: Iterable<readonly [string, StreamedTensor]>,
): Generator<readonly [string, StreamedTensor]> {
  let isMarked = false;
  for (const [name, tensor] of tensors) {
    yield [name, tensor];
    const { scale } = tensor;
    if (!scale) continue;
    if (!isMarked) yield ["scaled_fp8", { dtype: "F8_E4M3", shape: [2], chunks: () => [new Uint8Array(2)] }];
    isMarked = true;
    yield [name.replace(/weight$/, "scale_weight"), { dtype: "F32", shape: [], chunks: () => scalar(scale) }];
  }
}

async function* scalar(value: () => Promise<number>): AsyncGenerator<Uint8Array> {
  yield fromF32(Float32Array.of(await value()), "F32");
}
