import { showValue } from "../../files/messages.ts";
import { readPickle } from "./pickle.ts";
import type { Fail, Saved } from "./saved.ts";
import { parseStorageId, STORAGES } from "./tensor.ts";

/** The pickle of the number that such files begin with, 0x1950a86a20f9469cfc6c. */
const MAGIC = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/** Whether a file that begins like this was written by torch.save before PyTorch 1.6. */
export function isLegacy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * What torch.save wrote before PyTorch 1.6: five pickles one after another (a magic number, the version, facts of the
 * machine, the object, the keys of its storages), then in the order of the keys the number of values of each storage in
 * 8 bytes, and the values.
 * Source: `_legacy_save` in https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
 *
 * @throws {InputError} if it is not that, or ends too early
 */
export function readLegacy(bytes: Uint8Array, { fail }: { fail: Fail }): Saved {
  /** Bytes of a value, by the key of the storage. */
  const widths = new Map<string, number>();
  let at = 0;
  const next = () => {
    const start = at;
    const { object, end } = readPickle(bytes.subarray(start), {
      fail,
      // What the names stand for is asked when the object's pickle is read again, with its storages known.
      global: (name) => STORAGES.get(name) ?? (() => new Map()),
      persistent: (id) => {
        const storage = parseStorageId(id);
        if (storage) widths.set(storage.key, storage.type.bytes);
        return null;
      },
    });
    at += end;
    return { object, pickle: bytes.subarray(start, at) };
  };
  const [, , machine, { pickle }, keys] = [next(), next(), next(), next(), next()];
  if (!(machine.object instanceof Map) || machine.object.get("little_endian") !== true) {
    throw fail("values must be little-endian: they are not");
  }
  if (!Array.isArray(keys.object)) throw fail(`keys of storages must be a list: they are ${showValue(keys.object)}`);
  const storages = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const key of keys.object) {
    const width = widths.get(key);
    if (width === undefined) throw fail(`storage ${showValue(key)} must be that of a tensor: no tensor refers to it`);
    const begin = at + 8;
    const count = begin <= bytes.length ? Number(view.getBigInt64(at, true)) : NaN;
    at = begin + count * width;
    if (!(count >= 0 && at <= bytes.length)) {
      throw fail(`storage ${showValue(key)} must be whole: the file ends too early`);
    }
    storages.set(key, bytes.subarray(begin, at));
  }
  return { pickle, storage: (key) => storages.get(key) };
}
