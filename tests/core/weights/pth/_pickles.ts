import { strToU8, zipSync } from "fflate";
import { join } from "node:path";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";

/** Pickle opcodes of protocol 2, as torch.save writes them. */
export const global = (module: string, name: string) => [...strToU8(`c${module}\n${name}\n`)];
export const text = (value: string) => [0x58, value.length, 0, 0, 0, ...strToU8(value)];
export const int = (value: number) => [0x4b, value];
export const tuple = (...items: number[][]) => [0x28, ...items.flat(), 0x74];
export const reduce = (callable: number[], ...args: number[][]) => [...callable, ...tuple(...args), 0x52];
export const dict = (
  ...entries: [string, number[]][]
) => [0x7d, 0x28, ...entries.flatMap(([k, v]) => [...text(k), ...v]), 0x75];
export const orderedDict = reduce(global("collections", "OrderedDict"));
export const storage = (type: string, key: string, count: number) => [
  ...tuple(text("storage"), global("torch", type), text(key), text("cpu"), int(count)),
  0x51,
];
export const tensor = (from: number[], offset: number, shape: number[], strides: number[]) =>
  reduce(
    global("torch._utils", "_rebuild_tensor_v2"),
    from,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    [0x89],
    orderedDict,
  );
/** count values, 0.5, 1.5, ... */
export const f32 = (count: number) => new Uint8Array(Float32Array.from({ length: count }, (_, i) => i + 0.5).buffer);

/** A file of `pickle` and the storages, as torch.save has written it since PyTorch 1.6. */
export function pthFile(pickle: number[], storages: Record<string, Uint8Array> = {}, byteorder = "little"): string {
  const path = join(temporaryFolder(), "x.pth");
  const data = Object.fromEntries(Object.entries(storages).map(([key, bytes]) => [`x/data/${key}`, bytes]));
  const files = {
    "x/data.pkl": Uint8Array.from([0x80, 2, ...pickle, 0x2e]),
    "x/byteorder": strToU8(byteorder),
    ...data,
  };
  Deno.writeFileSync(path, zipSync(files, { level: 0 }));
  return path;
}
