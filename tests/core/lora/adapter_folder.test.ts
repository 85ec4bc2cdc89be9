import { strToU8, zipSync } from "fflate";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openAdapter } from "../../../packages/core/lora/adapter_folder.ts";
import { fromF32 } from "../../../packages/core/weights/dtypes/dtype.ts";
import { writeSafetensors } from "../../../packages/core/weights/safetensors/safetensors.ts";
import { TINY } from "./_adapters.ts";
import { messageOf } from "../weights/_files.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

type Tensors = Record<string, readonly number[]>;

/** Writes tensors that count up from 1. */
async function writeTensors(path: string, tensors: Tensors): Promise<void> {
  await writeSafetensors(
    path,
    Object.entries(tensors).map(([name, shape]) => {
      const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1);
      return [name, { dtype: "F32", shape, bytes: fromF32(values, "F32") }];
    }),
  );
}

const LORA: Tensors = {
  "transformer.x_embedder.lora_A.weight": [2, TINY.in_channels],
  "transformer.x_embedder.lora_B.weight": [TINY.hidden_size, 2],
};

/** A folder in the shape of the release, with other embeddings and settings if given. */
async function adapterFolder({ t5 = { prompt_embeds: [1, 3, 5] }, clip = { pooled: [1, 3] }, config }: {
  t5?: Tensors | undefined;
  clip?: Tensors | undefined;
  config?: object;
} = {}): Promise<string> {
  const folder = temporaryFolder();
  await writeTensors(join(folder, "pytorch_lora_weights.safetensors"), LORA);
  await writeTensors(join(folder, "t5_embedding.safetensors"), t5);
  await writeTensors(join(folder, "clip_embedding.safetensors"), clip);
  if (config) Deno.writeTextFileSync(join(folder, "training_config.json"), JSON.stringify(config));
  return folder;
}

describe("openAdapter()", () => {
  it("reads LoRA, text and settings of a folder", async () => {
    const config = { T_L: 0.3, guidance_scale: 3.5, rank: 64, lr: 1e-4 };
    const adapter = await openAdapter(await adapterFolder({ config }), TINY);
    expect([...adapter.adapters.keys()]).toEqual(["img_in"]);
    expect(adapter.conditioning?.txt_shape).toEqual([3, 5]);
    expect([...adapter.conditioning!.txt.slice(0, 2), ...adapter.conditioning!.y]).toEqual([1, 2, 1, 2, 3]);
    expect(adapter.settings).toEqual({ T_L: 0.3, guidance: 3.5 });
    expect(adapter.notes).toEqual(['training_config.json: keys that are not used: "rank", "lr"']);
  });

  it("takes embeddings without a batch axis, and a mask beside them", async () => {
    const folder = await adapterFolder({ t5: { e: [3, 5], mask: [1, 3] }, clip: { e: [3] } });
    expect((await openAdapter(folder, TINY)).conditioning?.txt_shape).toEqual([3, 5]);
  });

  it("takes a LoRA file, or a folder with one of any name", async () => {
    const folder = temporaryFolder(), file = join(folder, "mine.safetensors");
    await writeTensors(file, LORA);
    for (const path of [folder, file]) {
      const adapter = await openAdapter(path, TINY);
      expect(adapter).toMatchObject({ settings: {}, notes: [] });
      expect(adapter.conditioning).toBeUndefined();
    }
  });

  it("says that a LoRA's part for text encoders is not used, of a file and of a folder", async () => {
    const folder = temporaryFolder(), file = join(folder, "mine.safetensors");
    await writeTensors(file, { ...LORA, "lora_te1_x.lora_down.weight": [2, 3], "lora_te1_x.lora_up.weight": [3, 2] });
    for (const path of [folder, file]) {
      const { notes } = await openAdapter(path, TINY);
      expect(notes).toEqual(["LoRA: 2 tensors of text encoders are not used"]);
    }
  });

  it("refuses embeddings that do not fit, or only one", async () => {
    const wide = await adapterFolder({ t5: { e: [1, 3, 6] } });
    expect(await messageOf(openAdapter(wide, TINY))).toMatch(
      /one tensor must be \[T, 5\], as the model needs: file has \[1, 3, 6\]$/,
    );
    const two = await adapterFolder({ clip: { a: [3], b: [1, 3] } });
    expect(await messageOf(openAdapter(two, TINY))).toMatch(
      /must be \[3\], as the model needs: file has "a", "b" are$/,
    );
    const half = await adapterFolder();
    Deno.removeSync(join(half, "clip_embedding.safetensors"));
    expect(await messageOf(openAdapter(half, TINY))).toMatch(/must have both embeddings: there is no clip_embedding$/);
  });

  it("names the file and the tensor of values that are not finite", async () => {
    const folder = await adapterFolder();
    const path = join(folder, "clip_embedding.safetensors");
    const bytes = fromF32(Float32Array.of(1, NaN, 3), "F32");
    await writeSafetensors(path, [["pooled", { dtype: "F32", shape: [1, 3], bytes }]]);
    expect(await messageOf(openAdapter(folder, TINY))).toBe(
      `Cannot load "pooled" of "${path}": weights must be finite: value 1 is NaN`,
    );
  });

  it("never executes an embedding", async () => {
    const folder = await adapterFolder();
    Deno.removeSync(join(folder, "t5_embedding.safetensors"));
    const pickle = strToU8("\x80\x02cbuiltins\neval\n.", true);
    Deno.writeFileSync(join(folder, "t5_embedding.pth"), zipSync({ "t5/data.pkl": pickle }));
    expect(await messageOf(openAdapter(folder, TINY))).toMatch(/executable content: "builtins.eval"$/);
  });

  it("refuses a folder without a LoRA or with several, and settings out of range", async () => {
    const folder = temporaryFolder();
    expect(await messageOf(openAdapter(folder, TINY))).toMatch(/must have one LoRA: it has none$/);
    for (const name of ["a", "b"]) await writeTensors(join(folder, `${name}.safetensors`), LORA);
    expect(await messageOf(openAdapter(folder, TINY))).toMatch(/it has "a.safetensors", "b.safetensors"$/);
    const late = await adapterFolder({ config: { T_L: 250 } });
    expect(await messageOf(openAdapter(late, TINY))).toMatch(/T_L must be above 0 and at most 1: it is 250$/);
  });
});
