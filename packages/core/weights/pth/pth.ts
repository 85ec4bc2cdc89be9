import { unzipSync } from "fflate";
import { InputError } from "../../errors.ts";
import { ioError } from "../../files/read.ts";
import { quote, showValue } from "../../files/messages.ts";
import { readPickle } from "./pickle.ts";
import { type PthTensor, rebuildTensor, type Storage, STORAGES } from "./tensor.ts";
import { type WeightSource, weightSource } from "../weight_source.ts";

/** No adapter or embedding is larger, and all of the file is in memory. */
const MAX_BYTES = 2 ** 30;

/**
 * Opens what torch.save (since PyTorch 1.6) wrote of a tensor, or of dicts and lists of tensors: a ZIP with a pickle,
 * `<name>/data.pkl`, and the storages, `<name>/data/<key>`. The pickle is only read, never executed. Tensors are named
 * by their path in it (`state_dict.x.weight`), a single one `tensor`; other values are left out.
 *
 * @throws {InputError} if the file is not that, is too large, or its pickle has anything but tensors in it
 */
export async function openPth(path: string): Promise<WeightSource> {
  const fail = (rule: string) => new InputError(`Cannot open ${quote(path)}: ${rule}`);
  const files = unzip(await readFile(path, fail), fail);
  const pickles = [...files.keys()].filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw fail(`archive must have one data.pkl, as torch.save writes it: it has ${pickles.length}`);
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  const order = files.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(order) !== "little") throw fail("values must be little-endian: they are not");
  const object = readPickle(files.get(pickle)!, {
    fail,
    globals: new Map<string, unknown>([
      ...STORAGES,
      ["torch._utils._rebuild_tensor_v2", (args: unknown[]) => rebuildTensor(args, { fail, maxBytes: MAX_BYTES })],
      ["torch._utils._rebuild_parameter", ([tensor]: unknown[]) => tensor],
      ["collections.OrderedDict", () => new Map()],
    ]),
    persistent: (id) => openStorage(id, { bytes: (key) => files.get(`${folder}data/${key}`), fail }),
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

/** Makes the error for a file that breaks `rule`. */
type Fail = (rule: string) => InputError;

async function readFile(path: string, fail: Fail): Promise<Uint8Array> {
  try {
    const { size } = await Deno.stat(path);
    if (size > MAX_BYTES) throw fail(`a .pth file must have at most ${MAX_BYTES} bytes: it has ${size}`);
    return await Deno.readFile(path);
  } catch (error) {
    throw ioError(`open ${quote(path)}`, error);
  }
}

/** The files of the archive, by name. */
function unzip(bytes: Uint8Array, fail: Fail): ReadonlyMap<string, Uint8Array> {
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) { // "PK"
    throw new InputError(fail("file must be a ZIP, as torch.save writes it since PyTorch 1.6: it is none").message, {
      hint: "save it again with a newer PyTorch, or as .safetensors",
    });
  }
  let total = 0;
  const filter = ({ originalSize }: { originalSize: number }) => {
    total += originalSize;
    if (total > MAX_BYTES) throw fail(`archive must unpack to at most ${MAX_BYTES} bytes: it has more`);
    return true;
  };
  try {
    return new Map(Object.entries(unzipSync(bytes, { filter })));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw fail("ZIP must be whole: it is damaged");
  }
}

/** The storage that ("storage", type, key, device, element count) stands for. */
function openStorage(
  id: unknown,
  { bytes, fail }: { bytes: (key: string) => Uint8Array | undefined; fail: Fail },
): Storage {
  const [kind, type, key, , count] = Array.isArray(id) ? id : [];
  const known = [...STORAGES.values()].find((each) => each === type);
  if (kind !== "storage" || !known || typeof key !== "string") {
    throw fail(`pickle must refer to storages of numbers: it refers to ${showValue(id)}`);
  }
  const data = bytes(key);
  if (!data) throw fail(`archive must hold storage ${quote(key)}: it does not`);
  if (data.length !== known.bytes * Number(count)) {
    throw fail(`storage ${quote(key)} must have ${count} values of ${known.bytes} bytes: it has ${data.length} bytes`);
  }
  return { type: known, data };
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
