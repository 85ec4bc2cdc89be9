import { ALIGNMENT, GGML_TYPES, type GgufDtype, STRING, UINT32 } from "./types.ts";
import { quote } from "../../files/messages.ts";
import { streamFile } from "../stream_file.ts";
import { type StreamedTensor, tensorBytes, tensorPieces } from "../streamed_tensor.ts";

/** What general.file_type says of a file that mostly has a type, enum llama_ftype of llama.cpp's include/llama.h. */
const FILE_TYPES: Readonly<Record<GgufDtype, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q8_0: 7,
  Q4_K: 14,
  Q5_K: 16,
  BF16: 32,
};

/** Options of {@linkcode streamGguf}. */
export interface GgufOptions {
  /** What the file mostly has. */
  readonly dtype: GgufDtype;
  /** Is told of every chunk that was written. */
  readonly onWritten?: (bytes: number) => void;
}

/**
 * Writes a GGUF file (version 3) of a FLUX transformer under BFL names, of any size: the header, then one tensor after
 * another as they are made; `path` is whole or as it was. The format:
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 * @throws {InputError} if the file cannot be written (disk full, no permission, ...)
 */
export async function streamGguf(
  path: string,
  tensors: Iterable<readonly [string, StreamedTensor]>,
  { dtype, onWritten }: GgufOptions,
): Promise<void> {
  const all = [...tensors];
  async function* pieces() {
    yield await header(all, {
      "general.architecture": "flux",
      "general.quantization_version": 2,
      "general.file_type": FILE_TYPES[dtype],
    });
    for (const [name, tensor] of all) {
      yield* tensorPieces(name, tensor, onWritten);
      yield padding(tensorBytes(tensor));
    }
  }
  await streamFile(path, pieces());
}

/** Zeros from byte `length` to the next multiple of the alignment. */
function padding(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((ALIGNMENT - length % ALIGNMENT) % ALIGNMENT);
}

async function header(
  tensors: readonly (readonly [string, StreamedTensor])[],
  metadata: Readonly<Record<string, string | number>>,
): Promise<Uint8Array> {
  const fields = [MAGIC, u32(3), u64(tensors.length), u64(Object.keys(metadata).length)];
  for (const [key, value] of Object.entries(metadata)) {
    const typed = typeof value === "string" ? [u32(STRING), ...text(value)] : [u32(UINT32), u32(value)];
    fields.push(...text(key), ...typed);
  }
  let offset = 0;
  for (const [name, { dtype, shape }] of tensors) {
    if (!Object.hasOwn(GGML_TYPES, dtype)) {
      throw new RangeError(`Cannot write tensor ${quote(name)}: GGUF has no ${dtype}`);
    }
    const sizes = shape.toReversed().map(u64); // from the innermost on
    fields.push(...text(name), u32(shape.length), ...sizes, u32(GGML_TYPES[dtype as GgufDtype]), u64(offset));
    const bytes = tensorBytes({ dtype, shape });
    offset += bytes + padding(bytes).length;
  }
  const whole = new Blob(fields);
  return await new Blob([whole, padding(whole.size)]).bytes();
}

const MAGIC = new TextEncoder().encode("GGUF");

function u32(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function u64(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

/** The length in bytes, then UTF-8. */
function text(value: string): Uint8Array<ArrayBuffer>[] {
  const bytes = new TextEncoder().encode(value);
  return [u64(bytes.length), bytes];
}
