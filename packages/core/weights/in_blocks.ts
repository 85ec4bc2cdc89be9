import { layoutOf, type ReadableDtype } from "./dtypes/dequantize.ts";
import type { TensorStream } from "./weight_source.ts";

/** The same bytes in pieces of whole blocks of `dtype` and, but for the last, whole words. */
export async function* inBlocks(
  chunks: TensorStream["chunks"],
  dtype: ReadableDtype,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { bytes: block } = layoutOf(dtype);
  const unit = block % 4 === 0 ? block : block % 2 === 0 ? 2 * block : 4 * block;
  let rest = new Uint8Array(0);
  for await (const chunk of chunks) {
    let bytes = chunk;
    if (rest.length > 0) {
      bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
    }
    const whole = bytes.length - bytes.length % unit;
    rest = bytes.slice(whole); // a copy: the chunk is valid only until the next is asked for
    if (whole > 0) yield bytes.subarray(0, whole);
  }
  if (rest.length > 0) yield rest;
}
