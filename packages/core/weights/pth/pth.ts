import { InputError } from "../../errors.ts";
import { ioError } from "../../files/read.ts";
import { quote, showValue } from "../../files/messages.ts";
import { isArchive, readArchive } from "./archive.ts";
import { isLegacy, readLegacy } from "./legacy.ts";
import { readPickle } from "./pickle.ts";
import type { Fail, Saved } from "./saved.ts";
import { parseStorageId, type PthTensor, rebuildTensor, type Storage, STORAGES } from "./tensor.ts";
import { type WeightSource, weightSource } from "../weight_source.ts";

/** No adapter, embedding or VGG16 is larger, and all of the file is in memory. */
const MAX_BYTES = 2 ** 30;

/**
 * Opens what torch.save wrote of a tensor, or of dicts and lists of tensors. The pickle is only read, never executed.
 * Tensors are named by their path in it (`state_dict.x.weight`), a single one `tensor`; other values are left out.
 *
 * @throws {InputError} if the file is not that, is too large, or its pickle has anything but tensors in it
 */
export async function openPth(path: string): Promise<WeightSource> {
  const fail = (rule: string) => new InputError(`Cannot open ${quote(path)}: ${rule}`);
  const { pickle, storage } = takeApart(await readFile(path, fail), fail);
  const rebuild = (args: unknown[]) => rebuildTensor(args, { fail, maxBytes: MAX_BYTES });
  const globals = new Map<string, unknown>([
    ...STORAGES,
    ["torch._utils._rebuild_tensor", rebuild],
    ["torch._utils._rebuild_tensor_v2", rebuild],
    ["torch._utils._rebuild_parameter", ([tensor]: unknown[]) => tensor],
    // Python 2 gave the entries as an argument.
    ["collections.OrderedDict", ([entries]: unknown[]) => new Map(isEntries(entries) ? entries : [])],
  ]);
  const { object } = readPickle(pickle, {
    fail,
    global: (name) => globals.get(name),
    persistent: (id) => openStorage(id, { bytes: storage, fail }),
  });
  const tensors = new Map(namedTensors(object));
  if (tensors.size === 0) throw fail("file must hold tensors: it has none");
  return weightSource({
    path,
    tensors,
    metadata: {},
    read(name) {
      const tensor = tensors.get(name);
      if (!tensor) {
        return Promise.reject(new InputError(`Cannot read ${quote(name)}: ${quote(path)} has no such tensor`));
      }
      return Promise.resolve({ dtype: tensor.dtype, shape: tensor.shape, bytes: tensor.bytes() });
    },
    close() {},
  });
}

async function readFile(path: string, fail: Fail): Promise<Uint8Array> {
  try {
    const { size } = await Deno.stat(path);
    if (size > MAX_BYTES) throw fail(`a .pth file must have at most ${MAX_BYTES} bytes: it has ${size}`);
    return await Deno.readFile(path);
  } catch (error) {
    throw ioError(`open ${quote(path)}`, error);
  }
}

function takeApart(bytes: Uint8Array, fail: Fail): Saved {
  if (isArchive(bytes)) return readArchive(bytes, { fail, maxBytes: MAX_BYTES });
  if (isLegacy(bytes)) return readLegacy(bytes, { fail });
  throw fail("file must be what torch.save writes: it is not");
}

function isEntries(value: unknown): value is [unknown, unknown][] {
  return Array.isArray(value) && value.every((each) => Array.isArray(each) && each.length === 2);
}

/** The storage that a persistent id stands for. */
function openStorage(
  id: unknown,
  { bytes, fail }: { bytes: (key: string) => Uint8Array | undefined; fail: Fail },
): Storage {
  const storage = parseStorageId(id);
  if (!storage) throw fail(`pickle must refer to storages of numbers: it refers to ${showValue(id)}`);
  const { type, key, count } = storage;
  const data = bytes(key);
  if (!data) throw fail(`file must hold storage ${quote(key)}: it does not`);
  if (data.length !== type.bytes * count) {
    throw fail(`storage ${quote(key)} must have ${count} values of ${type.bytes} bytes: it has ${data.length} bytes`);
  }
  return { type, data };
}

/** Containers in containers: a pickle can nest a million, which would exhaust the stack. */
const MAX_DEPTH = 32;

/** The tensors in `object` by their path. Containers are entered once: a pickle can hold them in themselves. */
function* namedTensors(
  object: unknown,
  path: readonly string[] = [],
  seen: Set<unknown> = new Set(),
): Generator<[string, PthTensor]> {
  if (isTensor(object)) yield [path.join(".") || "tensor", object];
  else if ((Array.isArray(object) || object instanceof Map) && !seen.has(object) && path.length < MAX_DEPTH) {
    seen.add(object);
    for (const [key, value] of object.entries()) yield* namedTensors(value, [...path, String(key)], seen);
  }
}

function isTensor(object: unknown): object is PthTensor {
  return typeof object === "object" && object !== null && "dtype" in object && "shape" in object;
}
