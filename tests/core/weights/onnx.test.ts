import { join } from "node:path";
import proto from "onnx-proto";
import { describe, expect, test } from "vitest";
import { fromF32 } from "../../../packages/core/weights/dtypes/dtype.ts";
import { openOnnx } from "../../../packages/core/weights/onnx.ts";
import { inputError, messageOf } from "./_files.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

const { ModelProto } = proto.onnx;

/** A file with `initializer`, or with other contents. */
function write(
  contents: NonNullable<Parameters<typeof ModelProto.encode>[0]["graph"]>["initializer"] | Uint8Array,
): string {
  const path = join(temporaryFolder(), "model.onnx");
  const bytes = contents instanceof Uint8Array
    ? contents
    : ModelProto.encode({ irVersion: 8, graph: { initializer: contents ?? [] } }).finish();
  Deno.writeFileSync(path, bytes);
  return path;
}

const VALUES = Float32Array.of(1.5, -0.25, 3, 1e-3, 0, -7);

describe("openOnnx()", () => {
  test("reads weights from bytes and from lists of numbers, and leaves out what is none", async () => {
    using source = await openOnnx(write([
      { name: "raw", dims: [2, 3], dataType: 1, rawData: fromF32(VALUES, "F32") },
      { name: "listed", dims: [6], dataType: 1, floatData: [...VALUES] },
      { name: "half", dims: [6], dataType: 10, rawData: fromF32(VALUES, "F16") },
      { name: "brain", dims: [3, 2], dataType: 16, rawData: fromF32(VALUES, "BF16") },
      { name: "scalar", dataType: 1, floatData: [2] },
      { name: "shape", dims: [1], dataType: 7, int64Data: [4] },
    ]));
    expect([...source.tensors]).toEqual([
      ["raw", { dtype: "F32", shape: [2, 3] }],
      ["listed", { dtype: "F32", shape: [6] }],
      ["half", { dtype: "F16", shape: [6] }],
      ["brain", { dtype: "BF16", shape: [3, 2] }],
      ["scalar", { dtype: "F32", shape: [] }],
    ]);
    expect(await source.readF32("raw")).toEqual(VALUES);
    expect(await source.readF32("listed")).toEqual(VALUES);
    expect(await source.readF32("half")).toEqual(Float32Array.from(new Float16Array(VALUES)));
    expect((await source.readF32("brain"))[0]).toBe(1.5);
    expect([...await source.readF32("scalar")]).toEqual([2]);
    expect(await messageOf(source.read("none"))).toBe(`Cannot read "none": "${source.path}" has no such tensor`);
  });

  test("refuses tensors that are in other files, and says what to do", async () => {
    const path = write([{ name: "w", dims: [2], dataType: 1, dataLocation: 1 }]);
    const error = await inputError(openOnnx(path));
    expect(error.message).toBe(`Cannot open "${path}": tensors must be in the file: "w" is in another`);
    expect(error.hint).toContain("in one file");
  });

  test("refuses what is no model", async () => {
    const opened = (contents: Uint8Array) => messageOf(openOnnx(write(contents)));
    expect(await opened(new TextEncoder().encode("hello, no model"))).toMatch(/contents must be an ONNX model/);
    expect(await opened(ModelProto.encode({ graph: { name: "cut short" } }).finish().subarray(0, 5))).toMatch(
      /contents must be an ONNX model/,
    );
    expect(await opened(new Uint8Array())).toMatch(/must have a graph: it has none$/);
    expect(await messageOf(openOnnx(join(temporaryFolder(), "none.onnx")))).toMatch(/no such file or folder$/);
  });

  test("refuses a tensor without the bytes that its shape needs", async () => {
    using source = await openOnnx(write([
      { name: "w", dims: [2, 3], dataType: 1, rawData: new Uint8Array(20) },
      { name: "empty", dims: [1e12], dataType: 1 },
    ]));
    expect(await messageOf(source.read("w"))).toMatch(/tensor must have 24 bytes as F32 \[2, 3\]: it has 20$/);
    expect(await messageOf(source.read("empty"))).toMatch(/it has 0$/);
  });
});
