import { expect, test } from "vitest";
import { random } from "../../helpers/gpu.ts";
import * as reference from "../../reference/degradation.ts";
import type { Named } from "../../core/nn/_random_weights.ts";
import { permute } from "../../reference/layout.ts";
import { run, temporaryRoot, writeCase } from "./_write_case.ts";

const [H, W] = [13, 18];
const TOLERANCES = { kernels: { rtol: 1e-5, atol: 1e-8 }, forward: { rtol: 2e-5, atol: 1e-6 } };

/** A case of other sizes, factors and kernels than the bundled one. */
function makeCase() {
  const image = random([3, H, W]).map(Math.abs);
  const shape = [1, H, W, 3] as const;
  const pixels = permute(image, { shape: [3, H, W], axes: [1, 2, 0] });
  /** [h, w, 3] as the case has it. */
  const planes = (values: ArrayLike<number>, [height, width]: readonly [number, number]) => ({
    shape: [3, height, width],
    values: Float32Array.from(permute(values, { shape: [height, width, 3], axes: [2, 0, 1] })),
  });

  const taps = Array.from({ length: 25 }, (_, i) => Math.exp(-((i % 5 - 2) ** 2 + (Math.floor(i / 5) - 2) ** 2) / 2));
  const sum = taps.reduce((total, value) => total + value, 0);
  const kernel = Float32Array.from(taps, (value) => value / sum);
  const padded = Float32Array.from({ length: 81 }, (_, i) => {
    const [row, column] = [Math.floor(i / 9) - 2, i % 9 - 2];
    return Math.min(row, column) >= 0 && Math.max(row, column) < 5 ? kernel[row * 5 + column]! : 0;
  });

  const axes = (height: number, width: number, factor?: number) => ({
    shape,
    height,
    width,
    rows: reference.bicubic({ size: H, step: factor === undefined ? H / height : 1 / factor }),
    columns: reference.bicubic({ size: W, step: factor === undefined ? W / width : 1 / factor }),
  });
  const gray = random([1, H, W], 4);
  const noisy = Float32Array.from(image, (value, i) => Math.min(1, Math.max(0, value + gray[i % (H * W)]! * 20 / 255)));
  const io: Named = new Map([
    ["image", { shape: [3, H, W], values: image }],
    ["noise.gray", { shape: [1, H, W], values: gray }],
    ["filter2D.small", planes(reference.filter2d(pixels, { shape, taps: kernel, size: [5, 5] }), [H, W])],
    ["resize.bicubic.7x29", planes(reference.resample(pixels, axes(7, 29)), [7, 29])],
    ["rescale.bicubic.0.7", planes(reference.resample(pixels, axes(9, 12, 0.7)), [9, 12])],
    ["gaussian.gray", { shape: [3, H, W], values: noisy }],
  ]);
  const kernels: Named = new Map([
    ["small", { shape: [5, 5], values: kernel }],
    ["padded", { shape: [9, 9], values: padded }],
  ]);
  const config = {
    kernels: {
      small: { type: "iso", size: 5, sigma_x: 1 },
      padded: { type: "aniso", size: 5, sigma_x: 1, sigma_y: 1, theta: 0.4, pad_to: 9 },
    },
    gaussian_sigma: 20,
  };
  return { config, io, kernels };
}

async function verdict({ config, io, kernels }: ReturnType<typeof makeCase>) {
  const root = temporaryRoot();
  const files = { "io.safetensors": io, "kernels.safetensors": kernels };
  await writeCase(root, { name: "other", kind: "degradation", config, files, tolerances: TOLERANCES });
  return (await run(root)).lines[0];
}

test("degradation: other sizes, a kernel with zeros around it, one field of noise", async () => {
  expect(await verdict(makeCase())).toMatch(/^other \[degradation\] pass: kernels .*, forward /);
});

test("degradation: a wrong value, and a result of a name that tells nothing, fail", async () => {
  const wrong = makeCase();
  wrong.io.get("resize.bicubic.7x29")!.values[20]! += 1e-3;
  expect(await verdict(wrong)).toMatch(/fail: .*forward 1 of 4 fail, worst \S+ \(resize.bicubic.7x29: /);

  const unknown = makeCase();
  unknown.io.set("resize.lanczos.2x2", { shape: [3, 2, 2], values: new Float32Array(12) });
  expect(await verdict(unknown)).toContain("(resize.lanczos.2x2: not produced)");

  const other = makeCase();
  expect(await verdict({ ...other, config: { ...other.config, gaussian_sigma: 21 } })).toContain("(gaussian.gray: ");

  const levels = makeCase();
  const counted = { ...levels, config: { ...levels.config, poisson_vals: 128 } };
  expect(await verdict(counted)).toMatch(/levels 1 of 1 fail, worst \S+ \(poisson_vals: 1\.3e\+2 > 0\)/);
});
