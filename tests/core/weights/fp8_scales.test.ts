import { join } from "node:path";
import { expect, it } from "vitest";
import { fromF32 } from "../../../packages/core/weights/dtypes/dtype.ts";
import { renamedSource } from "../../../packages/core/weights/renamed_source.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { type TensorData, writeSafetensors } from "../../../packages/core/weights/safetensors/safetensors.ts";
import { messageOf } from "./_files.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

const F8: TensorData = { dtype: "F8_E4M3", shape: [1, 4], bytes: Uint8Array.of(0x38, 0xb8, 0x01, 0x7e) };

function f32(...values: number[]): TensorData {
  return { dtype: "F32", shape: [values.length], bytes: fromF32(Float32Array.from(values), "F32") };
}

async function write(tensors: Record<string, TensorData>): Promise<string> {
  const path = join(temporaryFolder(), "w.safetensors");
  await writeSafetensors(path, Object.entries(tensors));
  return path;
}

it("applies the scale of each fp8 weight, and leaves out what belongs to it", async () => {
  const path = await write({
    "m.scaled_fp8": { dtype: "F8_E4M3", shape: [2], bytes: new Uint8Array(2) },
    "m.a.weight": F8,
    "m.a.scale_weight": f32(0.25),
    "m.a.scale_input": f32(1),
    "m.a.bias": f32(3),
    "m.b.weight": F8,
  });
  using source = await openWeights(path);
  expect([...source.tensors.keys()].sort()).toEqual(["m.a.bias", "m.a.weight", "m.b.weight"]);
  expect([...await source.readF32("m.a.weight")]).toEqual([0.25, -0.25, 2 ** -11, 112]);
  expect([...await source.readF32("m.b.weight")]).toEqual([1, -1, 2 ** -9, 448]);
  expect([...await source.readF32("m.a.bias")]).toEqual([3]);
  expect(await source.read("m.a.weight")).toMatchObject({ dtype: "F8_E4M3", scale: 0.25 });
  expect(await messageOf(source.read("m.a.scale_weight"))).toMatch(/has no such tensor$/);
});

it("takes the names that newer files have", async () => {
  const path = await write({ "a.weight": F8, "a.weight_scale": f32(0.5), "a.input_scale": f32(1), "a.bias": f32(3) });
  using source = await openWeights(path);
  expect(source.tensors.get("a.weight")).toEqual({ dtype: "F8_E4M3", shape: [1, 4], scale: 0.5 });
  expect([...source.tensors.keys()].sort()).toEqual(["a.bias", "a.weight"]);
});

it.each([[[1, 2]], [[NaN]], [[]]])("refuses the scale %j", async (scale) => {
  const path = await write({ "a.weight": F8, "a.scale_weight": f32(...scale) });
  expect(await messageOf(openWeights(path))).toBe(
    `Cannot read "a.scale_weight" of "${path}": a scale must be one finite number: it is not`,
  );
});

it("stacks weights of one scale as they are, of several as F32", async () => {
  const path = await write({
    "a.weight": F8,
    "a.scale_weight": f32(0.5),
    "b.weight": F8,
    "b.scale_weight": f32(0.5),
    "c.weight": F8,
    "c.scale_weight": f32(0.25),
  });
  using source = await openWeights(path);
  const parts = (...names: string[]) => ({ parts: names.map((name) => `${name}.weight`) });
  const stacked = renamedSource(source, new Map([["same", parts("a", "b")], ["mixed", parts("a", "b", "c")]]));
  expect(await stacked.read("same")).toEqual({
    dtype: "F8_E4M3",
    shape: [2, 4],
    scale: 0.5,
    bytes: Uint8Array.of(...F8.bytes, ...F8.bytes),
  });
  expect([...await stacked.readF32("same")]).toEqual([0.5, -0.5, 2 ** -10, 224, 0.5, -0.5, 2 ** -10, 224]);
  expect(stacked.tensors.get("mixed")).toEqual({ dtype: "F32", shape: [3, 4] });
  expect([...await stacked.readF32("mixed")].slice(4)).toEqual([0.5, -0.5, 2 ** -10, 224, 0.25, -0.25, 2 ** -11, 112]);
});
