import { openModelFolder, openWeights } from "@fluxsr/core";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { sizeInBytes } from "../../packages/cli/_model_options.ts";
import { syntheticRows } from "../../packages/cli/_synthetic_rows.ts";
import { runSynth, type SynthRequest } from "../../packages/cli/synth.ts";
import { FLUX_AUTOENCODER, FLUX_DEV } from "../../packages/core/model_folder/configs.ts";
import { Autoencoder } from "../../packages/core/autoencoder/autoencoder.ts";
import { Mmdit } from "../../packages/core/mmdit/mmdit.ts";
import { modelBytes } from "../../packages/core/model_folder/write_model.ts";
import { fakeHost, folderWith, namesIn, removeFolders } from "./_fakes.ts";

afterEach(removeFolders);

/** Bytes of FLUX.1-dev's tensors by its index and of ae.safetensors' by its header, at huggingface.co. */
const FLUX_BYTES = { transformer: 23_802_816_640, ae: 335_278_732 };

async function synth(request: Partial<SynthRequest>): Promise<string> {
  const output = request.output ?? join(folderWith({}), "model");
  const small = { preset: "nano", depth: 1, single: 1, seed: 1, shardSize: 1e9 } as const;
  await runSynth({ layout: "diffusers", ...small, ...request, output }, { host: fakeHost() });
  return output;
}

async function valuesOf(file: string): Promise<Map<string, Uint8Array>> {
  using source = await openWeights(file);
  const values = new Map<string, Uint8Array>();
  for (const name of source.tensors.keys()) values.set(name, (await source.read(name)).bytes);
  return values;
}

describe("runSynth()", () => {
  test("writes a model folder in each layout, both with the same weights", async () => {
    const folders = [await synth({ dtype: "bf16" }), await synth({ dtype: "bf16", layout: "bfl" })];
    expect(namesIn(folders[1]!)).toEqual(["ae.safetensors", "config.json", "flux1-dev.safetensors", "fluxsr.json"]);
    using one = await openModelFolder(folders[0]!);
    using other = await openModelFolder(folders[1]!);
    expect(one.transformer.config).toEqual(other.transformer.config);
    expect(one.vae.config).toEqual(other.vae.config);
    expect(one.settings.name).toBe("synthetic nano, seed 1");
    for (const network of ["transformer", "vae"] as const) {
      const { source } = one[network];
      expect([...source.tensors.keys()].sort()).toEqual([...other[network].source.tensors.keys()].sort());
      for (const name of source.tensors.keys()) {
        expect(await source.read(name)).toEqual(await other[network].source.read(name));
      }
    }
  });

  test("has FLUX.1-dev's sizes and dtypes", () => {
    const transformer = syntheticRows(new Mmdit(FLUX_DEV).parameters(), { seed: 1, dtype: "BF16" });
    const vae = syntheticRows(new Autoencoder(FLUX_AUTOENCODER).parameters(), { seed: 1, dtype: "F32" });
    expect(modelBytes({ transformer: { config: FLUX_DEV, tensors: transformer } })).toBe(FLUX_BYTES.transformer);
    expect(modelBytes({ vae: { config: FLUX_AUTOENCODER, tensors: vae } })).toBe(FLUX_BYTES.ae);
  });

  test("divides into shards with an index", async () => {
    const whole = await synth({}), divided = join(await synth({ shardSize: 1e6 }), "transformer");
    const shards = namesIn(divided).filter((name) => /-0000\d-of-0000\d\.safetensors$/.test(name));
    expect(shards.length).toBeGreaterThan(2);
    expect(shards.length).toBe(Number(/of-(\d+)/.exec(shards[0]!)?.[1]));
    for (const name of shards) expect(Deno.statSync(join(divided, name)).size).toBeLessThan(1.05e6);
    expect(await valuesOf(divided)).toEqual(await valuesOf(join(whole, "transformer")));
  });

  test("repeats with the seed, differs with another", async () => {
    const file = "transformer/diffusion_pytorch_model.safetensors";
    const [a, b, c] = [await synth({}), await synth({}), await synth({ seed: 2 })].map((path) =>
      Deno.readFileSync(join(path, file))
    );
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  test("replaces a model folder only with --overwrite, another never", async () => {
    const output = await synth({});
    await expect(synth({ output })).rejects.toThrow("the folder must not exist yet: it does");
    await synth({ output, layout: "bfl", overwrite: true });
    expect(namesIn(output)).not.toContain("transformer");
    const pictures = folderWith({ "photo.jpg": "x" });
    await expect(synth({ output: pictures, overwrite: true })).rejects.toThrow(
      'only a model folder is replaced: it holds "photo.jpg"',
    );
    expect(namesIn(pictures)).toEqual(["photo.jpg"]);
  });
});

describe("syntheticRows()", () => {
  const shapes = new Map(
    [["w", [7, 9]], ["b.bias", [5001]], ["norm.scale", [5001]]].map((
      [n, s],
    ) => [n as string, { shape: s as number[] }]),
  );
  const tensors = syntheticRows(shapes, { seed: 1, dtype: "F32" });
  const values = async (name: string, begin: number, end: number) => {
    const bytes: number[] = [];
    for await (const chunk of tensors.get(name)!.rows(begin, end)) bytes.push(...chunk);
    return [...new Float32Array(Uint8Array.from(bytes).buffer)];
  };

  test("gives any rows as they are in the whole, from odd elements too", async () => {
    const whole = await values("w", 0, 7);
    expect(whole).toHaveLength(63);
    for (const [begin, end] of [[1, 2], [3, 7], [0, 1], [2, 2]] as const) {
      expect(await values("w", begin, end)).toEqual(whole.slice(begin * 9, end * 9));
    }
  });

  test("scales weights by their fan in, has norms around 1", async () => {
    const deviation = (values: number[], mean: number) =>
      Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
    const biases = await values("b.bias", 0, 5001);
    expect(deviation(biases, 0) / 0.02).toBeCloseTo(1, 1); // 5001 draws: within 1%
    expect(deviation(await values("norm.scale", 0, 5001), 1) / 0.1).toBeCloseTo(1, 1);
    expect(new Set(biases).size).toBeGreaterThan(4500);
    expect(Math.max(...(await values("w", 0, 7)).map(Math.abs))).toBeLessThan(5 / 3);
  });
});

test("sizeInBytes() reads MB and GB", () => {
  expect(["5GB", "500 MB", "1.5gb"].map(sizeInBytes("--shard-size"))).toEqual([5e9, 5e8, 1.5e9]);
  for (const text of ["5", "GB", "-1GB", "0MB", "1TB"]) {
    expect(() => sizeInBytes("--shard-size")(text)).toThrow("such as");
  }
});
