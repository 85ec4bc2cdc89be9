import { strToU8 } from "fflate";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openPth } from "../../../../packages/core/weights/pth/pth.ts";
import { messageOf } from "../_files.ts";
import { dict, f32, global, int, orderedDict, reduce, storage, tensor, text, tuple } from "./_pickles.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";

const MAGIC = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const TRUE = [0x88], FALSE = [0x89], NONE = [0x4e];

/** A pickle as a file of its own has it. */
const whole = (pickle: number[]) => [0x80, 2, ...pickle, 0x2e];

/** The bytes of a file that torch.save wrote before PyTorch 1.6: `pickle`, and the storages in their order. */
function legacy(
  pickle: number[],
  storages: readonly [key: string, count: number, bytes: Uint8Array][] = [],
  { littleEndian = TRUE, keys = [0x5d, 0x28, ...storages.flatMap(([key]) => text(key)), 0x65] } = {},
): Uint8Array {
  const parts = [MAGIC, [0x4d, 0xe9, 3], dict(["little_endian", littleEndian]), pickle, keys].flatMap(whole);
  const values = storages.flatMap(([, count, bytes]) => [count, 0, 0, 0, 0, 0, 0, 0, ...bytes]);
  return Uint8Array.from([...parts, ...values]);
}

function written(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), "x.pt");
  Deno.writeFileSync(path, bytes);
  return path;
}

describe("openPth(), of a file from before PyTorch 1.6,", () => {
  it("reads tensors, whatever the order of the storages", async () => {
    const state = [
      ...orderedDict,
      0x28,
      ...[...text("a"), ...tensor(storage("FloatStorage", "7", 6), 1, [2, 2], [1, 2])],
      ...[...text("b"), ...tensor(storage("HalfStorage", "12", 2), 0, [2], [1])],
      0x75,
      ...dict(["_metadata", dict()]),
      0x62,
    ];
    const half = Uint8Array.from([0, 0x3c, 0, 0x40]); // 1, 2
    using source = await openPth(written(legacy(state, [["12", 2, half], ["7", 6, f32(6)]])));
    expect([...source.tensors.keys()]).toEqual(["a", "b"]);
    expect([...await source.readF32("a")]).toEqual([1.5, 3.5, 2.5, 4.5]);
    expect([...await source.readF32("b")]).toEqual([1, 2]);
  });

  it("reads what Python 2 wrote, with its strings and dicts, tensors of the first kind and storages that know of views", async () => {
    const bytes = (value: string) => [0x55, value.length, ...strToU8(value)];
    const from = [
      ...tuple(bytes("storage"), global("torch", "FloatStorage"), bytes("0"), bytes("cpu"), int(2), NONE),
      0x51,
    ];
    const rebuild = global("torch._utils", "_rebuild_tensor");
    const entry = [0x5d, 0x28, ...bytes("w"), ...reduce(rebuild, from, int(0), tuple(int(2)), tuple(int(1))), 0x65];
    const state = reduce(global("collections", "OrderedDict"), [0x5d, ...entry, 0x61]);
    using source = await openPth(written(legacy(state, [["0", 2, f32(2)]])));
    expect([...source.tensors.keys()]).toEqual(["w"]);
    expect([...await source.readF32("w")]).toEqual([0.5, 1.5]);
  });

  const one = tensor(storage("FloatStorage", "0", 2), 0, [2], [1]);
  it.each<[string, Uint8Array, RegExp]>([
    [
      "executable content",
      legacy(reduce(global("posix", "system"), text("x"))),
      /it has executable content: "posix.system"$/,
    ],
    [
      "values of the other byte order",
      legacy(one, [], { littleEndian: FALSE }),
      /must be little-endian: they are not$/,
    ],
    ["no list of keys", legacy(one, [], { keys: int(1) }), /keys of storages must be a list: they are 1$/],
    ["a missing storage", legacy(one), /must hold storage "0": it does not$/],
    ["a storage that nothing refers to", legacy(one, [["9", 2, f32(2)]]), /storage "9" must be that of a tensor/],
    ["a storage of another length", legacy(one, [["0", 1, f32(1)]]), /must have 2 values of 4 bytes: it has 4 bytes$/],
    ["a file that is cut off", legacy(one, [["0", 2, f32(2)]]).slice(0, -1), /storage "0" must be whole/],
    ["one cut off before the values", legacy(one, [["0", 2, f32(2)]]).slice(0, -9), /storage "0" must be whole/],
    ["one cut off in a pickle", legacy(one, [["0", 2, f32(2)]]).slice(0, 60), /pickle must be whole/],
    [
      "a negative length",
      legacy(one, [["0", 2, f32(2)]]).map((byte, i, all) => i >= all.length - 16 ? 255 : byte),
      /must be whole/,
    ],
  ])("refuses %s", async (_, bytes, message) => {
    expect(await messageOf(openPth(written(bytes)))).toMatch(message);
  });
});
