import { InputError } from "../errors.ts";
import { quote } from "./messages.ts";
import { type TensorInfo, type WeightSource, weightSource } from "./weight_source.ts";

/** Tensors that scaled fp8 checkpoints, as ComfyUI writes them, have beside weights; scale_input is of its fp8 products. */
const EXTRA = /(^|\.)(scaled_fp8|scale_weight|scale_input)$/;

/**
 * `source`, where the one factor of all elements of an F8_E4M3 tensor `<layer>.weight`, if there is a tensor
 * `<layer>.scale_weight`, is its `scale`.
 */
export function withFp8Scales(source: WeightSource): WeightSource {
  const tensors = new Map([...source.tensors].filter(([name]) => !EXTRA.test(name)));
  if (tensors.size === source.tensors.size) return source;
  /** What is to be added to tensor `name` of `dtype`. */
  const scaleOf = async (name: string, { dtype }: TensorInfo): Promise<{ scale?: number }> => {
    const scaleName = name.replace(/(^|\.)weight$/, "$1scale_weight");
    if (dtype !== "F8_E4M3" || scaleName === name || !source.tensors.has(scaleName)) return {};
    const [scale, ...others] = await source.readF32(scaleName);
    if (scale === undefined || others.length > 0 || !Number.isFinite(scale)) {
      throw new InputError(`Cannot read ${quote(scaleName)}: a scale must be one finite number: it is not`);
    }
    return { scale };
  };
  const check = (name: string) => {
    if (tensors.has(name)) return;
    throw new InputError(`Cannot read ${quote(name)}: ${quote(source.path)} has no such tensor`);
  };
  return weightSource({
    path: source.path,
    tensors,
    metadata: source.metadata,
    async read(name) {
      check(name);
      const stored = await source.read(name);
      return { ...stored, ...await scaleOf(name, stored) };
    },
    async stream(name) {
      check(name);
      const stored = await source.stream(name);
      return { ...stored, ...await scaleOf(name, stored) };
    },
    close: () => source.close(),
  });
}
