import { InputError } from "../errors.ts";
import { quote } from "./messages.ts";
import { type WeightSource, weightSource } from "./weight_source.ts";

/** Tensors that scaled fp8 checkpoints, as ComfyUI writes them, have beside weights; scale_input is of its fp8 products. */
const EXTRA = /(^|\.)(scaled_fp8|scale_weight|scale_input)$/;

/**
 * `source`, where the one factor of all elements of an F8_E4M3 tensor `<layer>.weight`, if there is a tensor
 * `<layer>.scale_weight`, is its `scale`.
 */
export function withFp8Scales(source: WeightSource): WeightSource {
  const tensors = new Map([...source.tensors].filter(([name]) => !EXTRA.test(name)));
  if (tensors.size === source.tensors.size) return source;
  return weightSource({
    path: source.path,
    tensors,
    metadata: source.metadata,
    async read(name) {
      if (!tensors.has(name)) {
        throw new InputError(`Cannot read ${quote(name)}: ${quote(source.path)} has no such tensor`);
      }
      const stored = await source.read(name);
      const scaleName = name.replace(/(^|\.)weight$/, "$1scale_weight");
      if (stored.dtype !== "F8_E4M3" || scaleName === name || !source.tensors.has(scaleName)) return stored;
      const [scale, ...others] = await source.readF32(scaleName);
      if (scale === undefined || others.length > 0 || !Number.isFinite(scale)) {
        throw new InputError(`Cannot read ${quote(scaleName)}: a scale must be one finite number: it is not`);
      }
      return { ...stored, scale };
    },
    close: () => source.close(),
  });
}
