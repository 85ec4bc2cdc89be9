import { InputError } from "../../errors.ts";
import { layoutOf } from "../dtypes/dequantize.ts";
import { tensorBytes } from "../streamed_tensor.ts";
import { GgufCursor } from "./cursor.ts";
import { ALIGNMENT, GGML_TYPES, type GgufDtype, ggufDtype, OTHER_TYPES } from "./types.ts";
import { quote, showShape } from "../../files/messages.ts";

/** One tensor of a file; `begin` and `end` are bytes from the start of the file. */
export interface GgufEntry {
  readonly dtype: GgufDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** What a header says. */
export interface GgufHeader {
  readonly tensors: ReadonlyMap<string, GgufEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Tensors of ggml have at most so many axes. */
const MAX_AXES = 4;

/**
 * Reads and checks the header of a GGUF file of version 2 or 3, whose first bytes are `bytes`; `undefined`: it needs
 * more of them. The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 * @throws {InputError} `Cannot open "<path>": <rule>: <state>`.
 */
export function parseGguf(
  bytes: Uint8Array<ArrayBuffer>,
  { path, size }: { path: string; size: number },
): GgufHeader | undefined {
  const fail = (rule: string) => new InputError(`Cannot open ${quote(path)}: ${rule}`);
  const cursor = new GgufCursor(bytes, { size, fail });
  try {
    return parse(cursor, { size, fail });
  } catch (error) {
    if (error === cursor.needsMore) return undefined;
    throw error;
  }
}

/** Makes the error for a file that breaks `rule`. */
type Fail = (rule: string) => InputError;

function parse(cursor: GgufCursor, { size, fail }: { size: number; fail: Fail }): GgufHeader {
  if (cursor.u32() !== 0x46554747) throw fail("a GGUF file must begin with GGUF: it does not");
  const version = cursor.u32();
  if (version !== 2 && version !== 3) throw fail(`version must be 2 or 3 and little-endian: it is ${version}`);
  const [tensorCount, pairCount] = [cursor.count(), cursor.count()];
  const metadata: Record<string, string> = Object.create(null);
  for (let i = 0; i < pairCount; i++) {
    const key = cursor.text();
    const value = cursor.value();
    if (value !== undefined) metadata[key] = value;
  }
  const alignment = Number(metadata["general.alignment"] ?? ALIGNMENT);
  if (!Number.isInteger(alignment) || alignment < 8 || alignment % 8 !== 0 || alignment > 2 ** 20) {
    throw fail(`general.alignment must be a multiple of 8: it is ${quote(String(metadata["general.alignment"]))}`);
  }
  const architecture = metadata["general.architecture"];
  const infos = new Map<string, { entry: Omit<GgufEntry, "begin" | "end">; bytes: number; offset: number }>();
  for (let i = 0; i < tensorCount; i++) {
    const name = cursor.text();
    if (infos.has(name)) throw fail(`a tensor must be there once: ${quote(name)} is there twice`);
    infos.set(name, readInfo(cursor, { name, alignment, architecture, fail }));
  }
  const start = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = new Map([...infos].map(([name, { entry, bytes, offset }]) => {
    const begin = start + offset, end = begin + bytes;
    if (end > size) throw fail(`file is truncated: tensor ${quote(name)} ends at ${end}, the file at ${size}`);
    return [name, { ...entry, begin, end }];
  }));
  return { tensors, metadata };
}

function readInfo(
  cursor: GgufCursor,
  { name, alignment, architecture, fail }: {
    name: string;
    alignment: number;
    architecture: string | undefined;
    fail: Fail;
  },
) {
  const which = `tensor ${quote(name)}`;
  const axes = cursor.u32();
  if (axes > MAX_AXES) throw fail(`${which} must have at most ${MAX_AXES} axes: it has ${axes}`);
  // ggml counts axes from the innermost on.
  const shape = Array.from({ length: axes }, () => cursor.count()).reverse();
  const type = cursor.u32();
  const dtype = ggufDtype(type);
  if (!dtype) {
    const kinds = Object.keys(GGML_TYPES).join(", ");
    const kind = OTHER_TYPES.get(type) ?? `of type ${type}`;
    const model = architecture === undefined || architecture === "flux" ? "" : `, in a model ${quote(architecture)}`;
    throw fail(`tensors must be of type ${kinds}: ${quote(name)} is ${kind}${model}`);
  }
  const offset = cursor.count();
  if (offset % alignment !== 0) throw fail(`${which} must begin at a multiple of ${alignment}: it begins at ${offset}`);
  const { elements } = layoutOf(dtype);
  if ((shape.at(-1) ?? 1) % elements !== 0) {
    throw fail(`${which} must have rows that are a multiple of ${elements} as ${dtype}: it is ${showShape(shape)}`);
  }
  const bytes = tensorBytes({ dtype, shape });
  if (!Number.isSafeInteger(bytes)) throw fail(`${which} must have fewer than 2^53 bytes: it is ${showShape(shape)}`);
  return { entry: { dtype, shape }, bytes, offset };
}
