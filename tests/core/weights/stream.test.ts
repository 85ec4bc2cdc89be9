import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fromF32 } from "../../../packages/core/weights/dtypes/dtype.ts";
import { mmditNames } from "../../../packages/core/model_folder/mmdit_names.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { writeSafetensors } from "../../../packages/core/weights/safetensors/safetensors.ts";
import type { WeightSource } from "../../../packages/core/weights/weight_source.ts";
import { golden, messageOf } from "./_files.ts";
import { fixture } from "./_quantised.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

/** All that a stream gives, copied: its pieces are valid only until the next. */
async function streamed(source: WeightSource, name: string): Promise<unknown> {
  const { chunks, ...info } = await source.stream(name);
  const bytes: number[] = [];
  for await (const chunk of chunks) for (const byte of chunk) bytes.push(byte);
  return { ...info, bytes: Uint8Array.from(bytes) };
}

describe("WeightSource.stream()", () => {
  it("gives what read() gives: of safetensors, stacked and turned parts, GGUF", async () => {
    const diffusers = golden("mmdit-guidance-diffusers/weights.diffusers.safetensors");
    using stacked = mmditNames(await openWeights(diffusers));
    using plain = mmditNames(await openWeights(golden("mmdit-guidance/weights.safetensors")));
    using gguf = await openWeights(fixture("blocks.gguf"));
    for (const source of [stacked, plain, gguf]) {
      for (const name of source.tensors.keys()) expect(await streamed(source, name)).toEqual(await source.read(name));
    }
  });

  it("gives the scale of fp8 weights", async () => {
    const path = join(temporaryFolder(), "f8.safetensors");
    await writeSafetensors(path, [
      ["a.weight", { dtype: "F8_E4M3", shape: [1, 4], bytes: Uint8Array.of(1, 2, 3, 4) }],
      ["a.scale_weight", { dtype: "F32", shape: [1], bytes: fromF32(Float32Array.of(0.5), "F32") }],
    ]);
    using source = await openWeights(path);
    expect(await source.stream("a.weight")).toMatchObject({ dtype: "F8_E4M3", shape: [1, 4], scale: 0.5 });
    expect(await messageOf(source.stream("b.weight"))).toMatch(/has no such tensor$/);
  });

  it("reads a tensor of several pieces in order, and stops in the middle without a complaint", async () => {
    const path = join(temporaryFolder(), "large.safetensors");
    const values = Uint32Array.from({ length: 2 ** 23 + 3 }, (_, i) => i);
    await writeSafetensors(path, [["w", {
      dtype: "U32",
      shape: [values.length],
      bytes: new Uint8Array(values.buffer),
    }]]);
    using source = await openWeights(path);
    let next = 0;
    for await (const chunk of (await source.stream("w")).chunks) {
      const words = new Uint32Array(chunk.slice().buffer);
      expect([words[0], words.at(-1)]).toEqual([next, next + words.length - 1]);
      next += words.length;
    }
    expect(next).toBe(values.length);
    for await (const chunk of (await source.stream("w")).chunks) {
      expect(chunk.length).toBeLessThan(values.byteLength);
      break;
    }
  });

  it("names a file that became shorter", async () => {
    const path = join(temporaryFolder(), "short.safetensors");
    await writeSafetensors(path, [["w", { dtype: "U8", shape: [1000], bytes: new Uint8Array(1000) }]]);
    using source = await openWeights(path);
    await Deno.truncate(path, 500);
    const stream = await source.stream("w");
    const reading = async () => {
      for await (const _ of stream.chunks);
    };
    expect(await messageOf(reading())).toMatch(/^Cannot read ".*short.safetensors": file became shorter/);
  });
});
