import { join } from "node:path";
import { expect, it } from "vitest";
import { openWeights } from "../../../../packages/core/weights/open_weights.ts";
import { streamGguf } from "../../../../packages/core/weights/gguf/stream_gguf.ts";
import type { StreamedTensor } from "../../../../packages/core/weights/streamed_tensor.ts";
import { messageOf } from "../_files.ts";
import { fixture } from "../_quantised.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";

function tensor(dtype: StreamedTensor["dtype"], shape: readonly number[], bytes: Uint8Array): StreamedTensor {
  return { dtype, shape, chunks: () => [bytes] };
}

it("writes the fields of the format, all little-endian, and tensors at multiples of 32", async () => {
  const path = join(temporaryFolder(), "w.gguf");
  const bytes = Uint8Array.from({ length: 34 }, (_, i) => i + 1);
  let written = 0;
  await streamGguf(path, [["a", tensor("Q8_0", [1, 32], bytes)], ["b", tensor("F32", [1], bytes.subarray(0, 4))]], {
    dtype: "Q8_0",
    onWritten: (count) => written += count,
  });
  const u32 = (value: number) => [value, 0, 0, 0], u64 = (value: number) => [...u32(value), ...u32(0)];
  const text = (value: string) => [...u64(value.length), ...new TextEncoder().encode(value)];
  const header = [
    ...[..."GGUF"].map((letter) => letter.charCodeAt(0)),
    ...u32(3),
    ...u64(2),
    ...u64(3),
    ...[...text("general.architecture"), ...u32(8), ...text("flux")],
    ...[...text("general.quantization_version"), ...u32(4), ...u32(2)],
    ...[...text("general.file_type"), ...u32(4), ...u32(7)],
    ...[...text("a"), ...u32(2), ...u64(32), ...u64(1), ...u32(8), ...u64(0)],
    ...[...text("b"), ...u32(1), ...u64(1), ...u32(0), ...u64(64)],
  ];
  const start = Math.ceil(header.length / 32) * 32;
  const expected = new Uint8Array(start + 96);
  expected.set(header);
  expected.set(bytes, start);
  expected.set(bytes.subarray(0, 4), start + 64);
  expect(await Deno.readFile(path)).toEqual(expected);
  expect(written).toBe(38);
});

it("writes what openWeights() reads, of every type", async () => {
  const path = join(temporaryFolder(), "copy.gguf");
  using source = await openWeights(fixture("blocks.gguf"));
  const tensors: [string, StreamedTensor][] = [];
  for (const name of source.tensors.keys()) {
    const { dtype, shape, bytes } = await source.read(name);
    tensors.push([name, tensor(dtype, shape, bytes)]);
  }
  await streamGguf(path, tensors, { dtype: "Q4_0" });
  using copy = await openWeights(path);
  expect([...copy.tensors.keys()]).toEqual([...source.tensors.keys()]);
  for (const name of source.tensors.keys()) expect(await copy.read(name)).toEqual(await source.read(name));
});

it("refuses dtypes that GGUF lacks and tensors that are cut off, and leaves no file", async () => {
  const folder = temporaryFolder();
  const write = (each: StreamedTensor) => streamGguf(join(folder, "w.gguf"), [["w", each]], { dtype: "Q8_0" });
  await expect(write(tensor("F8_E4M3", [1], Uint8Array.of(1)))).rejects.toThrow('"w": GGUF has no F8_E4M3');
  await expect(write(tensor("F32", [2], new Uint8Array(4)))).rejects.toThrow(/F32 \[2\] takes 8 bytes: it has 4$/);
  expect([...Deno.readDirSync(folder)]).toEqual([]);
  expect(await messageOf(streamGguf(join(folder, "none", "w.gguf"), [], { dtype: "F32" }))).toMatch(/^Cannot write/);
});
