import { join } from "node:path";
import { openModelFolder, openWeights } from "@fluxsr/core";
import { expect, test } from "vitest";
import { tinyModel } from "../../e2e/_tiny_model.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

const ALIGNMENT = 32;

/** A GGUF file (version 3) of f32 tensors without metadata. */
function gguf(
  tensors: ReadonlyMap<string, { shape: readonly number[]; values: Float32Array }>,
): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [..."GGUF"].map((letter) => letter.charCodeAt(0));
  const u32 = (value: number) => bytes.push(...[0, 8, 16, 24].map((shift) => value >>> shift & 255));
  const u64 = (value: number) => u32(value) && u32(Math.floor(value / 2 ** 32));
  const padded = (length: number) => Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  u32(3), u64(tensors.size), u64(0);
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    u64(name.length), bytes.push(...new TextEncoder().encode(name));
    u32(shape.length), shape.toReversed().forEach(u64);
    u32(0), u64(offset);
    offset += padded(values.byteLength);
  }
  const start = padded(bytes.length);
  const file = new Uint8Array(start + offset);
  file.set(bytes);
  let at = start;
  for (const { values } of tensors.values()) {
    file.set(new Uint8Array(values.buffer), at);
    at += padded(values.byteLength);
  }
  return file;
}

test.each(["", "model.diffusion_model."])(
  "a model folder's transformer may be a GGUF file, names with prefix %j",
  async (prefix) => {
    const folder = await temporaryFolder();
    await tinyModel(folder);
    const path = join(folder, "flux.safetensors");
    const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
    {
      using file = await openWeights(path);
      for (const [name, { shape }] of file.tensors) tensors.set(name, { shape, values: await file.readF32(name) });
    }
    await Deno.remove(path);
    const renamed = new Map([...tensors].map(([name, each]) => [`${prefix}${name}`, each]));
    await Deno.writeFile(join(folder, "flux1-dev-Q8_0.gguf"), gguf(renamed));
    using model = await openModelFolder(folder);
    expect([...model.transformer.source.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, { values }] of tensors) expect(await model.transformer.source.readF32(name)).toEqual(values);
  },
);
