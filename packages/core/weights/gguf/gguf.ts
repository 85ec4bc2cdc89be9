import { InputError } from "../../errors.ts";
import { ByteFile } from "../byte_file.ts";
import { type GgufHeader, parseGguf } from "./header.ts";
import { quote } from "../../files/messages.ts";
import { refuseText } from "../refuse_text.ts";
import { type WeightSource, weightSource } from "../weight_source.ts";

/** Bytes that are read first; the headers of transformers fit, those of text encoders hold their vocabulary. */
const FIRST_BYTES = 2 ** 18;

/**
 * Opens a GGUF file, version 2 or 3, with tensors of type F32, F16, BF16, Q8_0, Q4_0, Q4_K and Q5_K; reads and checks
 * the header, no tensor.
 *
 * @throws {InputError} if there is no such file, it is damaged, or has a tensor of another type
 */
export async function openGguf(path: string): Promise<WeightSource> {
  const file = await ByteFile.open(path);
  try {
    await refuseText(file);
    const { tensors, metadata } = await readHeader(file);
    const find = (name: string) => {
      const entry = tensors.get(name);
      if (!entry) throw new InputError(`Cannot read ${quote(name)}: ${quote(path)} has no such tensor`);
      return entry;
    };
    return weightSource({
      path,
      tensors,
      metadata,
      async read(name) {
        const { dtype, shape, begin, end } = find(name);
        return { dtype, shape, bytes: await file.read(begin, end - begin) };
      },
      // deno-lint-ignore require-await -- a tensor that is missing rejects
      async stream(name) {
        const { dtype, shape, begin, end } = find(name);
        return { dtype, shape, chunks: file.chunks(begin, end - begin) };
      },
      close: () => file.close(),
    });
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The header says nowhere how long it is: it is parsed anew with twice the bytes until it is whole. */
async function readHeader(file: ByteFile): Promise<GgufHeader> {
  for (let length = Math.min(FIRST_BYTES, file.size);; length = Math.min(2 * length, file.size)) {
    const header = parseGguf(await file.read(0, length), file);
    if (header) return header;
  }
}
