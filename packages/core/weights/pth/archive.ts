import { unzipSync } from "fflate";
import { InputError } from "../../errors.ts";
import type { Fail, Saved } from "./saved.ts";

/** Whether a file that begins like this is a ZIP. */
export function isArchive(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b; // "PK"
}

/**
 * What torch.save has written since PyTorch 1.6: a ZIP with a pickle, `<name>/data.pkl`, and the storages,
 * `<name>/data/<key>`.
 *
 * @throws {InputError} if the ZIP is damaged, unpacks to more than `maxBytes`, or is not that
 */
export function readArchive(bytes: Uint8Array, { fail, maxBytes }: { fail: Fail; maxBytes: number }): Saved {
  const files = unzip(bytes, { fail, maxBytes });
  const pickles = [...files.keys()].filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw fail(`archive must have one data.pkl, as torch.save writes it: it has ${pickles.length}`);
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  const order = files.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(order) !== "little") throw fail("values must be little-endian: they are not");
  return { pickle: files.get(pickle)!, storage: (key) => files.get(`${folder}data/${key}`) };
}

/** The files of the archive, by name. */
function unzip(
  bytes: Uint8Array,
  { fail, maxBytes }: { fail: Fail; maxBytes: number },
): ReadonlyMap<string, Uint8Array> {
  let total = 0;
  const filter = ({ originalSize }: { originalSize: number }) => {
    total += originalSize;
    if (total > maxBytes) throw fail(`archive must unpack to at most ${maxBytes} bytes: it has more`);
    return true;
  };
  try {
    return new Map(Object.entries(unzipSync(bytes, { filter })));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw fail("ZIP must be whole: it is damaged");
  }
}
