import { loadLpips, pseudoRandomVgg16 } from "@fluxsr/core";
import { read } from "@fluxsr/kernels";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lpipsPath, openLpipsWeights } from "../../../packages/core/perceptual/lpips_weights.ts";
import { writeSafetensors } from "../../../packages/core/weights/safetensors/safetensors.ts";
import { gpu, randomTensor } from "../../helpers/gpu.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { inputError, messageOf } from "../weights/_files.ts";
import { dict, pthFile, storage, tensor } from "../weights/pth/_pickles.ts";
import { type Named, writeF32, writeOnnx } from "./_files.ts";
import { narrowWeights, SHAPES, WIDTHS } from "./_narrow.ts";

const weights: Named = await narrowWeights();
const wanted = new Map([...SHAPES].map(([name, shape]) => [lpipsPath(name)!, shape]));
const isHead = (name: string) => name.startsWith("lin");
const isTrunk = (name: string) => !isHead(name);

/** Those of `weights` that are wanted, under other names; `asConvolutions`: heads are [1, C, 1, 1]. */
function stored(
  { of = () => true, as = (name) => name, asConvolutions = false }: {
    of?: (name: string) => boolean;
    as?: (name: string) => string;
    asConvolutions?: boolean;
  } = {},
): Map<string, { shape: readonly number[]; values: Float32Array }> {
  return new Map(
    [...weights].filter(([name]) => of(name)).map(([name, { shape, values }]) => [
      as(name),
      { shape: asConvolutions && isHead(name) ? [1, ...shape, 1, 1] : shape, values },
    ]),
  );
}

/** As the lpips package names the layers of VGG16: slices with torchvision's numbers. */
function sliced(name: string): string {
  const layer = Number(name.split(".")[1]);
  const slice = [4, 9, 16, 23, 31].findIndex((end) => layer < end) + 1;
  return name.replace("features", `net.slice${slice}`);
}

async function expectWeights(files: readonly string[]): Promise<void> {
  using source = await openLpipsWeights(files, wanted);
  expect(source.tensors.size).toBe(31);
  for (const [name, { shape, values }] of weights) {
    const path = lpipsPath(name)!;
    expect(await source.read(path)).toMatchObject({ dtype: "F32", shape });
    expect(await source.readF32(path), name).toEqual(values);
  }
}

describe("openLpipsWeights()", () => {
  test("reads heads that torch.save wrote", async () => {
    const heads = [...stored({ of: isHead })];
    const entries = heads.map(([name, { shape: [count = 0] }], i): [string, number[]] => {
      return [
        `${name}.model.1.weight`,
        tensor(storage("FloatStorage", `${i}`, count), 0, [1, count, 1, 1], [count, 1, 1, 1]),
      ];
    });
    const storages = Object.fromEntries(
      heads.map(([, { values }], i) => [i, new Uint8Array(Float32Array.from(values).buffer)]),
    );
    const trunk = join(temporaryFolder(), "vgg16.safetensors");
    await writeF32(trunk, stored({ of: isTrunk }));
    await expectWeights([trunk, pthFile(dict(...entries), storages)]);
  });

  test("reads torchvision's file, whose classifier is left out, and the heads of the lpips package", async () => {
    const folder = temporaryFolder();
    const [trunk, heads] = [join(folder, "vgg16.safetensors"), join(folder, "lpips.safetensors")];
    const classifier = { shape: [3], values: Float32Array.of(1, 2, 3) };
    await writeF32(trunk, stored({ of: isTrunk }).set("classifier.0.bias", classifier));
    const as = (name: string) => `${name}.model.1.weight`;
    await writeF32(heads, stored({ of: isHead, as, asConvolutions: true }));
    await expectWeights([trunk, heads]);
    await expectWeights([heads, trunk]);
  });

  test.each([
    ["lins.0.model.1.weight", (name: string) => `${name.replace("lin", "lins.")}.model.1.weight`],
    ["lin0.weight", (name: string) => `${name}.weight`],
    ["loss.lin0", (name: string) => `loss.${name}`],
  ])("reads one file with slices and heads named %s", async (_, head) => {
    const path = join(temporaryFolder(), "lpips.safetensors");
    await writeF32(path, stored({ as: (name) => isHead(name) ? head(name) : sliced(name) }));
    await expectWeights([path]);
  });

  test("reads ONNX, also beside safetensors", async () => {
    const folder = temporaryFolder();
    const [all, trunk, heads] = ["all.onnx", "trunk.onnx", "heads.safetensors"].map((name) => join(folder, name));
    writeOnnx(
      all!,
      stored({ as: (name) => isHead(name) ? `${name}.model.1.weight` : sliced(name), asConvolutions: true }),
    );
    await expectWeights([all!]);
    writeOnnx(trunk!, stored({ of: isTrunk }));
    await writeF32(heads!, stored({ of: isHead }));
    await expectWeights([trunk!, heads!]);
  });

  test("names what is missing", async () => {
    const path = join(temporaryFolder(), "vgg16.safetensors");
    await writeF32(path, stored({ of: isTrunk }));
    const error = await inputError(openLpipsWeights([path], wanted));
    expect(error.message).toBe(
      `Cannot load "${path}": tensors are missing: "lins.0", "lins.1", "lins.2" (5 in all)`,
    );
    expect(error.hint).toContain("lin0 to lin4");
    expect(await messageOf(openLpipsWeights([join(path, "none.onnx")], wanted))).toMatch(/no such file or folder$/);
  });

  test("names the file, the tensor and the shape or dtype that it must have", async () => {
    const path = join(temporaryFolder(), "lpips.safetensors");
    const other = { shape: [2, 2], values: new Float32Array(4) };
    await writeF32(path, stored().set("features.5.bias", other));
    expect(await messageOf(openLpipsWeights([path], wanted))).toBe(
      `Cannot load "${path}": "features.5.bias" must be [3]: it is [2, 2]`,
    );
    await writeSafetensors(path, [["lin3.weight", { dtype: "I64", shape: [2], bytes: new Uint8Array(16) }]]);
    expect(await messageOf(openLpipsWeights([path], new Map([["lins.3", [2]]])))).toBe(
      `Cannot load "${path}": "lin3.weight" must be F32, F16 or BF16: it is I64`,
    );
  });
});

describe("loadLpips()", () => {
  test("says where the weights are from, and gives the same distances from a file", async () => {
    const path = join(temporaryFolder(), "lpips.safetensors");
    await writeF32(path, stored());
    const networks = [
      await loadLpips(gpu, { widths: WIDTHS }),
      await loadLpips(gpu, { files: [path], widths: WIDTHS }),
    ];
    expect(networks.map(({ source }) => source)).toEqual(["pseudo-random VGG16", path]);
    const [first, second] = [1, 2].map((seed) => randomTensor([1, 16, 16, 3], seed).tensor);
    const [random, loaded] = await read(...networks.map((network) => network.forward(first!, second!)));
    expect(random![0]).toBeGreaterThan(0);
    expect(loaded).toEqual(random);
    networks.forEach((network) => network.dispose());
  });

  test("numbers the pseudo-random weights in the order of VGG16", async () => {
    const numbered = pseudoRandomVgg16(wanted);
    for (const [name, { values }] of weights) expect(await numbered.readF32(lpipsPath(name)!)).toEqual(values);
  });

  test("leaves nothing on the GPU if the files cannot be used", async () => {
    const path = join(temporaryFolder(), "lpips.safetensors");
    const bad = { shape: [WIDTHS[4]!], values: new Float32Array(WIDTHS[4]!).fill(NaN) };
    await writeF32(path, stored().set("lin4", bad));
    const before = gpu.memory.live;
    expect(await messageOf(loadLpips(gpu, { files: [path], widths: WIDTHS }))).toMatch(/weights must be finite/);
    expect(gpu.memory.live).toBe(before);
  });
});
