import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { InputError } from "../../../../packages/core/errors.ts";
import { parseGguf } from "../../../../packages/core/weights/gguf/header.ts";
import { openWeights } from "../../../../packages/core/weights/open_weights.ts";
import { messageOf } from "../_files.ts";
import { plainTensor } from "../../../../packages/core/weights/plain_tensor.ts";
import { expectedValues, fixture } from "../_quantised.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";

const FILE = Deno.readFileSync(fixture("blocks.gguf"));

/** Bytes of the header, up to the first tensor. */
const HEADER_BYTES = 0x1e0;

/** Opens the fixture with `bytes` written at `at`. */
async function opened(bytes: readonly number[], at: number): Promise<string> {
  const path = join(temporaryFolder(), "w.gguf");
  const file = FILE.slice();
  file.set(bytes, at);
  Deno.writeFileSync(path, file);
  return await messageOf(openWeights(path));
}

/** Where `name` is in the header; the fields after a name of four are: axes, sizes, type, offset. */
function after(name: string): number {
  return new TextDecoder("latin1").decode(FILE).indexOf(name) + name.length;
}
const [TYPE, OFFSET] = [20, 24];

describe("openWeights() of a .gguf file", () => {
  it("has the tensors with their axes outermost first, and the text of the metadata", async () => {
    using source = await openWeights(fixture("blocks.gguf"));
    expect(Object.fromEntries([...source.tensors].map(([name, { dtype, shape }]) => [name, [dtype, shape]]))).toEqual({
      f32: ["F32", [2, 3]],
      f16: ["F16", [2, 3]],
      bf16: ["BF16", [2, 3]],
      q8_0: ["Q8_0", [3, 512]],
      q4_0: ["Q4_0", [3, 512]],
      q4_k: ["Q4_K", [3, 512]],
      q5_k: ["Q5_K", [3, 512]],
    });
    expect(source.metadata["general.architecture"]).toBe("flux");
    expect(await source.readF32("q4_k")).toEqual(await expectedValues("q4_k"));
    expect(await plainTensor(source, "q4_k")).toMatchObject({ dtype: "F32", shape: [3, 512] });
    expect(await plainTensor(source, "bf16")).toMatchObject({ dtype: "BF16", shape: [2, 3] });
    expect(await messageOf(source.read("x"))).toMatch(/has no such tensor$/);
    source.close();
    await expect(source.read("f32")).rejects.toThrow("file is closed");
  });

  it("refuses other types by name and tensor, and rows that are not whole blocks", async () => {
    expect(await opened([11], after("q4_k") + TYPE)).toMatch(/F32, .* "q4_k" is Q3_K$/);
    expect(await opened([23], after("q4_k") + TYPE)).toMatch(/"q4_k" is IQ4_XS$/);
    expect(await opened([99], after("q4_k") + TYPE)).toMatch(/"q4_k" is of type 99$/);
    const other = [..."wan2"].map((letter) => letter.charCodeAt(0));
    const path = join(temporaryFolder(), "w.gguf");
    const file = FILE.slice();
    file.set(other, after("flux") - 4);
    file.set([11], after("q4_k") + TYPE);
    Deno.writeFileSync(path, file);
    expect(await messageOf(openWeights(path))).toMatch(/"q4_k" is Q3_K, in a model "wan2"$/);
    expect(await opened([0x80, 0], after("q4_k") + 4)).toMatch(
      /"q4_k" must have rows that are a multiple of 256.*\[3, 128\]$/,
    );
  });

  it("refuses damaged files in words", async () => {
    expect(await opened([0], 0)).toMatch(/must begin with GGUF/);
    expect(await opened([1], 4)).toMatch(/version must be 2 or 3 and little-endian: it is 1$/);
    expect(await opened([255, 255, 255, 255, 255, 255, 255, 255], 8)).toMatch(/counts must be below 2\^53/);
    expect(await opened([255, 255, 255], 0x18)).toMatch(/file is truncated: its header needs/);
    expect(await opened([1], after("q4_k") + OFFSET)).toMatch(/must begin at a multiple of 32/);
    expect(await opened([0, 0, 1], after("q5_k") + OFFSET)).toMatch(/tensor "q5_k" ends at \d+, the file at 4992$/);
    expect(await opened([9], after("numbers") + 4)).toMatch(/without nested arrays: one is 9$/);
  });

  it("asks for more bytes of a longer file, and gives up on a shorter", () => {
    for (let length = 0; length < HEADER_BYTES - 24; length++) {
      const bytes = FILE.slice(0, length);
      expect(parseGguf(bytes, { path: "w.gguf", size: FILE.length })).toBeUndefined();
      expect(() => parseGguf(bytes, { path: "w.gguf", size: length })).toThrow(InputError);
    }
  });

  it("takes or refuses damaged headers, never anything else", () => {
    // A multiplicative congruential generator, L'Ecuyer 1999: the same damage in every run.
    let state = 20261123n;
    const random = (below: number) => {
      state = (state * 2862933555777941757n) & 0xffffffffffffffffn;
      return Number(state >> 32n) % below;
    };
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      const bytes = FILE.slice();
      for (let flips = 0; flips <= i % 3; flips++) bytes[random(HEADER_BYTES)]! ^= 1 << random(8);
      try {
        for (const { begin, end } of parseGguf(bytes, { path: "w.gguf", size: bytes.length })!.tensors.values()) {
          expect(begin <= end && end <= bytes.length).toBe(true);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(300);
    expect(refused).toBeLessThan(3000);
  });
});
