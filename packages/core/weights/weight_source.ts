import { InputError } from "../errors.ts";
import { quote } from "../files/messages.ts";
import { dequantize, isReadableDtype, READABLE } from "./dtypes/dequantize.ts";
import type { SafetensorsFile } from "./safetensors/safetensors.ts";
import { type StoredAs, tensorBytes } from "./streamed_tensor.ts";

/** What is known of a tensor without reading it. */
export interface TensorInfo extends StoredAs {
  /** A factor of all elements, of F8_E4M3; undefined: 1. */
  readonly scale?: number | undefined;
}

/** A tensor as it is stored; `bytes` are the caller's own. */
export interface StoredTensor extends TensorInfo {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A tensor as it is stored, in pieces. */
export interface TensorStream extends TensorInfo {
  /** The bytes in order, cut anywhere; a piece is valid until the next is asked for. */
  readonly chunks: Iterable<Uint8Array<ArrayBuffer>> | AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Named tensors in files, read one at a time. */
export interface WeightSource extends Disposable {
  /** The file or folder, for messages. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Free text from the files' headers. */
  readonly metadata: Readonly<Record<string, string>>;
  /** @throws {InputError} if there is no such tensor or it cannot be read. */
  read(name: string): Promise<StoredTensor>;
  /** As {@linkcode read}, but a large tensor is never in memory as a whole where the format allows it. */
  stream(name: string): Promise<TensorStream>;
  /** As {@linkcode read}, converted. @throws {InputError} also if the tensor is of no dtype of weights. */
  readF32(name: string): Promise<Float32Array<ArrayBuffer>>;
  /** Closes the files; safe to call twice. */
  close(): void;
}

/** What sources differ in; one that cannot do better streams a tensor in one piece. */
export type SourceParts =
  & Omit<WeightSource, "readF32" | "stream" | typeof Symbol.dispose>
  & Partial<Pick<WeightSource, "stream">>;

/** A {@linkcode WeightSource} from the parts that sources differ in. */
export function weightSource(parts: SourceParts): WeightSource {
  return {
    async stream(name) {
      const { bytes, ...info } = await parts.read(name);
      return { ...info, chunks: [bytes] };
    },
    ...parts,
    async readF32(name) {
      const dtype = parts.tensors.get(name)?.dtype ?? "F32";
      if (!isReadableDtype(dtype)) {
        throw new InputError(`Cannot load ${quote(name)}: weights must be ${READABLE}: file has ${dtype}`);
      }
      const { bytes, scale } = await parts.read(name);
      return dequantize(bytes, { dtype, scale });
    },
    [Symbol.dispose]: () => parts.close(),
  };
}

/** Tensors of several `files` as one source, `names` says which is where; closing it closes them all. */
export function filesSource(
  path: string,
  { files, names }: { files: readonly SafetensorsFile[]; names: ReadonlyMap<string, SafetensorsFile> },
): WeightSource {
  const tensors = new Map([...names].map(([name, file]) => {
    const { dtype, shape } = file.tensors.get(name)!;
    return [name, { dtype, shape }];
  }));
  const find = (name: string) => {
    const file = names.get(name), info = tensors.get(name);
    if (!file || !info) throw new InputError(`Cannot read ${quote(name)}: ${quote(path)} has no such tensor`);
    return { file, info };
  };
  return weightSource({
    path,
    tensors,
    metadata: Object.assign({}, ...files.map((file) => file.metadata)),
    async read(name) {
      const { file, info } = find(name);
      return { ...info, bytes: await file.read(name) };
    },
    // deno-lint-ignore require-await -- a tensor that is missing rejects
    async stream(name) {
      const { file, info } = find(name);
      return { ...info, chunks: file.chunks(name) };
    },
    close: () => files.forEach((file) => file.close()),
  });
}

/** Bytes of all weights as they are stored. */
export function storedBytes({ tensors }: WeightSource): number {
  return [...tensors.values()].reduce((sum, info) => isReadableDtype(info.dtype) ? sum + tensorBytes(info) : sum, 0);
}
