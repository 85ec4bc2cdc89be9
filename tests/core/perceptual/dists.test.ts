import { loadDists } from "@fluxsr/core";
import { read, tensor } from "@fluxsr/kernels";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { gpu, random, randomTensor } from "../../helpers/gpu.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import * as reference from "../../reference/perceptual.ts";
import { messageOf } from "../weights/_files.ts";
import { writeF32 } from "./_files.ts";
import { narrowWeights, WIDTHS } from "./_narrow.ts";

const dists = await loadDists(gpu, { widths: WIDTHS });
const weights = await narrowWeights();
afterAll(() => dists.dispose());

const CHANNELS = WIDTHS.reduce((sum, width) => sum + width, 3);
const EVEN = new Float32Array(CHANNELS).fill(1);

/** f32 through 13 layers, against quotients of variances that are near 0 where a channel hardly varies. */
const TOLERANCE = 2e-5;

/** A small, odd picture, and batch 2. */
const SHAPES = [[1, 16, 17, 3], [2, 31, 23, 3]];

describe("Dists", () => {
  test.each(SHAPES.map((shape) => [shape]))("matches plain loops for shape %j", async (shape) => {
    const first = random(shape, 1);
    // Half a copy, so that structure counts too.
    const second = random(shape, 2).map((value, i) => (value + first[i]!) / 2);
    const features = [first, second].map((values) => dists.features(tensor(gpu, values, shape)));
    const distance = await dists.distance(features[0]!, features[1]!);
    const expected = reference.dists([first, second], { shape, weights, alpha: EVEN, beta: EVEN });
    expect(distance).toHaveLength(expected.length);
    expected.forEach((value, b) => expect(Math.abs(distance[b]! - value)).toBeLessThan(TOLERANCE));
  });

  test("of equal pictures is 0, and of the same texture shifted less than of another picture", async () => {
    const stripes = (period: number, phase = 0) =>
      tensor(
        gpu,
        Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => {
          return Math.sin(2 * Math.PI * (Math.floor(i / 3) % 64 + phase) / period);
        }),
        [1, 64, 64, 3],
      );
    const [image, same, shifted, other] = [stripes(8), stripes(8), stripes(8, 1), stripes(3)].map((x) =>
      dists.features(x)
    );
    const [zero, little, much] =
      (await Promise.all([same, shifted, other].map((each) => dists.distance(image!, each!))))
        .flat();
    expect(Math.abs(zero!)).toBeLessThan(1e-7);
    expect(little).toBeGreaterThan(1e-3);
    expect(much).toBeGreaterThan(1.5 * little!);
  });

  test("frees all but the features", async () => {
    const image = randomTensor([1, 17, 16, 3]).tensor;
    const before = gpu.memory.live;
    const features = dists.features(image);
    const held = gpu.memory.live;
    await dists.distance(features, features);
    expect(gpu.memory.live).toBe(held);
    for (const each of features) each.dispose();
    expect(gpu.memory.live).toBe(before);
  });
});

describe("loadDists()", () => {
  test("reads alpha and beta, and the names of the program of DISTS", async () => {
    const path = join(temporaryFolder(), "dists.safetensors");
    const [alpha, beta] = [1, 2].map((seed) => random([CHANNELS], seed).map(Math.abs));
    const share = (values: Float32Array<ArrayBuffer>) => ({ shape: [1, CHANNELS, 1, 1], values });
    const trunk = [...weights].filter(([name]) => name.startsWith("features")).map(([name, each]) =>
      [name.replace("features", "stage1"), each] as const
    );
    await writeF32(path, new Map([...trunk, ["alpha", share(alpha!)], ["beta", share(beta!)]]));
    using loaded = await loadDists(gpu, { files: [path], widths: WIDTHS }).then((dists) => ({
      dists,
      [Symbol.dispose]: () => dists.dispose(),
    }));
    expect(loaded.dists.source).toBe(path);
    expect(await read(loaded.dists.alpha.tensor, loaded.dists.beta.tensor)).toEqual([alpha, beta]);
    const shape = [1, 16, 16, 3];
    const images = [random(shape, 1), random(shape, 2)] as const;
    const [first, second] = images.map((values) => loaded.dists.features(tensor(gpu, values, shape)));
    const [expected] = reference.dists(images, { shape, weights, alpha: alpha!, beta: beta! });
    const [distance] = await loaded.dists.distance(first!, second!);
    expect(Math.abs(distance! - expected!)).toBeLessThan(TOLERANCE);
  });

  test("weighs all channels the same where no file says otherwise, and needs VGG16", async () => {
    const path = join(temporaryFolder(), "vgg16.safetensors");
    await writeF32(path, weights);
    const plain = await loadDists(gpu, { files: [path], widths: WIDTHS });
    expect(await read(plain.alpha.tensor, plain.beta.tensor)).toEqual([EVEN, EVEN]);
    plain.dispose();
    await writeF32(path, new Map([["alpha", { shape: [CHANNELS], values: EVEN }]]));
    expect(await messageOf(loadDists(gpu, { files: [path], widths: WIDTHS }))).toContain("tensors are missing");
  });
});
