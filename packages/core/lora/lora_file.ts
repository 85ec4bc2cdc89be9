import { InputError } from "../errors.ts";
import { quote, showNames, showShape } from "../files/messages.ts";
import { checkFinite } from "../weights/check.ts";
import type { MmditConfig } from "../model_folder/configs.ts";
import type { WeightSource } from "../weights/weight_source.ts";
import { dequantize, isReadableDtype, READABLE } from "../weights/dtypes/dequantize.ts";
import { lazyAdapter, type LoraAdapter } from "./adapter.ts";
import { fuseAdapters } from "./fuse_adapters.ts";
import { loraScale } from "./lora_alpha.ts";
import { isTextEncoderKey, type LoraKey, parseLoraKey } from "./lora_keys.ts";
import { type ModulePlace, modulePlaces } from "./module_places.ts";

/** The adapters of a file, by BFL module name (`double_blocks.0.img_attn.qkv`). */
export interface LoraFile {
  readonly adapters: ReadonlyMap<string, LoraAdapter>;
  /** Keys of text encoders, which are used as they are. */
  readonly ignored: readonly string[];
}

/** The names in a file of the tensors of one adapter. */
type Names = Partial<Record<LoraKey["kind"], string>>;

/**
 * Reads a LoRA for the transformer of `config`: PEFT, kohya or bare names, of BFL or diffusers modules. Adapters for
 * the parts of a BFL module (q, k, v, mlp) become one adapter that changes the weight in exactly the same way.
 *
 * @throws {InputError} if a key is unknown, half an adapter is missing, a shape does not fit the model, a value is not
 * finite, or there is no adapter.
 */
export async function readLora(source: WeightSource, config: MmditConfig): Promise<LoraFile> {
  const places = modulePlaces(config);
  const { modules, ignored } = groupKeys(source, places);
  const scaleOf = loraScale(source.path, source.metadata);
  const parts = new Map<string, { place: ModulePlace; adapter: LoraAdapter }[]>();
  for (const [name, tensors] of modules) {
    const place = places.get(name)!;
    const part = { place, adapter: await readAdapter(source, name, { tensors, place, scaleOf }) };
    const others = parts.get(place.module);
    if (others) others.push(part);
    else parts.set(place.module, [part]);
  }
  const adapters = new Map<string, LoraAdapter>();
  for (const [module, list] of parts) adapters.set(module, fuseAdapters(module, list));
  return { adapters, ignored };
}

/** The tensors of `source` by the file's name of their module; every name is one of `places`. */
function groupKeys(source: WeightSource, places: ReadonlyMap<string, ModulePlace>) {
  const fail = (rule: string) => new InputError(`Cannot load LoRA ${quote(source.path)}: ${rule}`);
  const modules = new Map<string, Names>();
  const ignored: string[] = [], unknown: string[] = [];
  for (const key of source.tensors.keys()) {
    if (isTextEncoderKey(key)) {
      ignored.push(key);
      continue;
    }
    const parsed = parseLoraKey(key);
    if (!parsed || !places.has(parsed.module)) {
      unknown.push(key);
      continue;
    }
    const { module, kind } = parsed;
    const names = modules.get(module) ?? {};
    if (names[kind]) throw fail(`a module must have one adapter: ${showNames([names[kind], key])} are both of one`);
    modules.set(module, { ...names, [kind]: key });
  }
  if (unknown.length > 0) {
    throw new InputError(`Cannot load LoRA ${quote(source.path)}: keys must be of this model: ${showNames(unknown)}`, {
      hint: "the LoRA may be for another model, or of a kind (DoRA, LoKr, ...) that is not supported",
    });
  }
  if (modules.size === 0) throw fail("file must have adapters for the transformer: it has none");
  return { modules, ignored };
}

async function readAdapter(
  source: WeightSource,
  name: string,
  { tensors, place, scaleOf }: { tensors: Names; place: ModulePlace; scaleOf: ReturnType<typeof loraScale> },
): Promise<LoraAdapter> {
  const fail = (rule: string) => new InputError(`Cannot load LoRA ${quote(source.path)}: ${rule}`);
  const { a: keyA, b: keyB, alpha: keyAlpha } = tensors;
  if (!keyA || !keyB) throw fail(`${quote(name)} must have both factors: file lacks ${keyA ? "B (up)" : "A (down)"}`);
  const shapeA = source.tensors.get(keyA)!.shape, shapeB = source.tensors.get(keyB)!.shape;
  const rank = shapeA[0] ?? 0;
  const check = (key: string, shape: readonly number[], wanted: readonly [number, number]) => {
    if (shape.length === 2 && shape[0] === wanted[0] && shape[1] === wanted[1] && rank > 0) return;
    throw fail(`${quote(key)} must fit the model: file has ${showShape(shape)}, model needs ${showShape(wanted)}`);
  };
  check(keyA, shapeA, [Math.max(1, rank), place.in]);
  check(keyB, shapeB, [place.out, rank]);
  const a = await readFactor(source, keyA), b = await readFactor(source, keyB);
  const alpha = keyAlpha === undefined ? undefined : await readScalar(source, keyAlpha);
  return lazyAdapter({ rank, in: place.in, out: place.out, scale: scaleOf(name, rank, alpha) }, { a, b });
}

/** Reads a factor, which is held as it is stored. */
async function readFactor(source: WeightSource, key: string): Promise<() => Float32Array<ArrayBuffer>> {
  const { dtype, bytes, scale } = await source.read(key);
  if (!isReadableDtype(dtype)) {
    throw new InputError(
      `Cannot load LoRA ${quote(source.path)}: ${quote(key)} must be ${READABLE}: file has ${dtype}`,
    );
  }
  checkFinite(key, { dtype, bytes }, { path: source.path });
  return () => dequantize(bytes, { dtype, scale });
}

async function readScalar(source: WeightSource, key: string): Promise<number> {
  const { shape } = source.tensors.get(key)!;
  const values = shape.every((size) => size === 1) ? await source.readF32(key) : [];
  const [value] = values;
  if (value !== undefined && Number.isFinite(value)) return value;
  throw new InputError(`Cannot load LoRA ${quote(source.path)}: ${quote(key)} must be one finite number`);
}
