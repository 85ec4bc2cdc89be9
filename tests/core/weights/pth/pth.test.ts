import { strToU8, zipSync } from "fflate";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openPth } from "../../../../packages/core/weights/pth/pth.ts";
import { messageOf } from "../_files.ts";
import { dict, f32, global, int, orderedDict, pthFile, reduce, storage, tensor, text, tuple } from "./_pickles.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";

describe("openPth()", () => {
  it("reads one tensor", async () => {
    using source = await openPth(
      pthFile(tensor(storage("FloatStorage", "0", 6), 0, [1, 2, 3], [6, 3, 1]), { 0: f32(6) }),
    );
    expect([...source.tensors]).toEqual([["tensor", expect.objectContaining({ dtype: "F32", shape: [1, 2, 3] })]]);
    expect([...await source.readF32("tensor")]).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5]);
  });

  it("names tensors in dicts and lists by their path, leaves other values out, takes views and 16 bits", async () => {
    const bf16 = Uint8Array.from([0x80, 0x3f, 0, 0x40]); // 1, 2
    const list = [0x5d, 0x28, ...tensor(storage("BFloat16Storage", "1", 2), 0, [2], [1]), 0x4e, 0x88, 0x65];
    const transposed = tensor(storage("FloatStorage", "0", 6), 1, [2, 2], [1, 2]);
    const pickle = dict(["a", dict(["t", transposed])], ["l", list], ["n", int(3)], ["s", text("x")]);
    using source = await openPth(pthFile(pickle, { 0: f32(6), 1: bf16 }));
    expect([...source.tensors.keys()]).toEqual(["a.t", "l.0"]);
    expect([...await source.readF32("a.t")]).toEqual([1.5, 3.5, 2.5, 4.5]);
    expect([...await source.readF32("l.0")]).toEqual([1, 2]);
  });

  it("reads a parameter, and a state_dict with its attributes", async () => {
    const one = tensor(storage("FloatStorage", "0", 1), 0, [], []);
    const parameter = reduce(global("torch._utils", "_rebuild_parameter"), one, [0x88], orderedDict);
    const items = [0x28, ...text("w"), ...parameter, 0x75];
    using source = await openPth(
      pthFile([...orderedDict, ...items, ...dict(["_metadata", dict()]), 0x62], { 0: f32(1) }),
    );
    expect([...await source.readF32("w")]).toEqual([0.5]);
  });

  it.each([
    ["builtins", "eval"],
    ["posix", "system"],
    ["torch.nn.modules.linear", "Linear"],
  ])("refuses %s.%s by name", async (module, name) => {
    const pickle = dict(["a", reduce(global(module, name), text("1+1"))]);
    expect(await messageOf(openPth(pthFile(pickle)))).toMatch(
      new RegExp(`must hold tensors only: it has executable content: "${module}.${name}"$`),
    );
  });

  it.each<[string, number[], RegExp]>([
    ["other opcodes", [0x81], /must have opcodes of tensors only: it has 0x81$/],
    ["missing operands", [0x85], /must be well-formed/],
    ["a number that is called", reduce(int(1)), /must be well-formed/],
    ["unknown memo entries", [0x68, 1], /must be well-formed/],
    ["text past the end", [0x58, 255, 255, 255, 255], /must be whole: it ends too early$/],
    ["a line without end", [...strToU8("cbuiltins")], /must be whole: it ends too early$/],
    ["no tensors", dict(["a", int(1)]), /must hold tensors: it has none$/],
    ["storages of another kind", [...tuple(text("module"), text("x")), 0x51], /must refer to storages of numbers/],
    ["a missing storage", tensor(storage("FloatStorage", "9", 1), 0, [1], [1]), /must hold storage "9": it does not$/],
    ["a short storage", tensor(storage("FloatStorage", "0", 9), 0, [1], [1]), /must have 9 values of 4 bytes/],
    ["a tensor past its storage", tensor(storage("FloatStorage", "0", 6), 1, [6], [1]), /must lie in its storage/],
    ["strides past it", tensor(storage("FloatStorage", "0", 6), 0, [2, 2], [5, 1]), /must lie in its storage/],
    ["fewer strides than sizes", tensor(storage("FloatStorage", "0", 6), 0, [1, 1], [1]), /must lie in its storage/],
    [
      "an expansion without end",
      tensor(storage("FloatStorage", "0", 6), 0, [255, 255, 255, 255], [0, 0, 0, 0]),
      /must lie in its storage/,
    ],
  ])("refuses %s", async (_, pickle, message) => {
    expect(await messageOf(openPth(pthFile(pickle, { 0: f32(6) })))).toMatch(message);
  });

  it("ends on a list that holds itself, and on deep nesting", async () => {
    const itself = [0x5d, 0x71, 0, 0x68, 0, 0x61];
    expect(await messageOf(openPth(pthFile(itself)))).toMatch(/must hold tensors: it has none$/);
    const deep = [...Array(100_000).fill(0x5d), ...Array(99_999).fill(0x61)];
    expect(await messageOf(openPth(pthFile(deep)))).toMatch(/must hold tensors: it has none$/);
  });

  it("refuses calls of half a million arguments, and as many axes, by name", async () => {
    const many = [0x28, ...Array(500_000).fill(0x4e), 0x74];
    const call = [...global("torch._utils", "_rebuild_tensor_v2"), ...many, 0x52];
    expect(await messageOf(openPth(pthFile(call)))).toMatch(/must have a storage, an offset, sizes and strides/);
    const ones = Array<number>(100_000).fill(1);
    const deep = tensor(storage("FloatStorage", "0", 1), 0, ones, ones);
    expect(await messageOf(openPth(pthFile(deep, { 0: f32(1) })))).toMatch(/must have at most 64 axes: it has 100000$/);
  });

  it("refuses what is no such archive", async () => {
    const path = join(temporaryFolder(), "x.pth");
    expect(await messageOf(openPth(path))).toMatch(/no such file/);
    Deno.writeFileSync(path, Uint8Array.from([0x80, 2, 0x2e]));
    expect(await messageOf(openPth(path))).toMatch(/file must be what torch.save writes: it is not$/);
    Deno.writeFileSync(path, zipSync({ "a.txt": strToU8("x") }));
    expect(await messageOf(openPth(path))).toMatch(/must have one data.pkl/);
    const whole = Deno.readFileSync(pthFile(tensor(storage("FloatStorage", "0", 6), 0, [6], [1]), { 0: f32(6) }));
    Deno.writeFileSync(path, whole.subarray(0, whole.length / 2));
    expect(await messageOf(openPth(path))).toMatch(/ZIP must be whole: it is damaged$/);
    expect(await messageOf(openPth(pthFile(dict(), {}, "big")))).toMatch(/must be little-endian/);
  });
});
