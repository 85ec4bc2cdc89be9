import { describe, expect, test } from "vitest";
import { type BlurKernel, blurKernel } from "../../../../packages/train/data/degradation/blur_kernels.ts";

/** J1(x) as its integral over a period, which the trapezoid rule gives to the last bits. */
function besselJ1(x: number): number {
  const angles = Array.from({ length: 200 }, (_, i) => 2 * Math.PI * i / 200);
  return angles.reduce((sum, t) => sum + Math.cos(t - x * Math.sin(t)), 0) / 200;
}

const KERNELS: BlurKernel[] = [
  { type: "iso", size: 1, sigma_x: 0.2 },
  { type: "iso", size: 9, sigma_x: 1.7 },
  { type: "aniso", size: 11, sigma_x: 2.1, sigma_y: 0.8, theta: 0.7 },
  { type: "generalized_iso", size: 7, sigma_x: 1.1, beta: 0.6 },
  { type: "generalized_aniso", size: 9, sigma_x: 2.3, sigma_y: 1.1, theta: -2.2, beta: 3.1 },
  { type: "plateau_iso", size: 9, sigma_x: 1.4, beta: 1.6 },
  { type: "plateau_aniso", size: 13, sigma_x: 1.4, sigma_y: 2.9, theta: 1.2, beta: 1.9 },
  { type: "sinc", size: 15, cutoff: 1.1 },
  { type: "sinc", size: 21, cutoff: Math.PI },
];

describe.each(KERNELS)("blurKernel() $type $size", (kernel) => {
  const { size } = kernel;
  const values = blurKernel(kernel);
  const half = (size - 1) / 2;

  test("has sum 1 and a centre of symmetry", () => {
    expect(values).toHaveLength(size * size);
    expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
    values.forEach((value, i) => expect(value).toBeCloseTo(values.at(-1 - i)!, 12));
  });

  test("is its formula", () => {
    const value = (x: number, y: number) => {
      if (kernel.type === "sinc") {
        const r = Math.sqrt(x * x + y * y);
        return r === 0
          ? kernel.cutoff ** 2 / (4 * Math.PI)
          : kernel.cutoff * besselJ1(kernel.cutoff * r) / (2 * Math.PI * r);
      }
      const { type, sigma_x, sigma_y = sigma_x, theta = 0, beta = 1 } = kernel;
      // The covariance as a matrix, inverted by its determinant.
      const [c, s] = [Math.cos(theta), Math.sin(theta)];
      const a = c * c * sigma_x ** 2 + s * s * sigma_y ** 2;
      const b = c * s * (sigma_x ** 2 - sigma_y ** 2);
      const d = s * s * sigma_x ** 2 + c * c * sigma_y ** 2;
      const q = (d * x * x - 2 * b * x * y + a * y * y) / (a * d - b * b);
      return type.startsWith("plateau") ? 1 / (1 + q ** beta) : Math.exp(-0.5 * q ** beta);
    };
    const expected = Array.from({ length: size * size }, (_, i) => value(i % size - half, Math.floor(i / size) - half));
    const sum = expected.reduce((total, each) => total + each, 0);
    const largest = Math.max(...expected) / sum;
    // The error of the Bessel function, 5e-9, relative to the largest value.
    values.forEach((each, i) => expect(Math.abs(each - expected[i]! / sum)).toBeLessThan(2e-8 * largest));
  });
});

test("blurKernel() turns by theta from the x axis, along which sigma_x is", () => {
  const along = blurKernel({ type: "aniso", size: 5, sigma_x: 3, sigma_y: 0.5, theta: 0 });
  expect(along[2 * 5 + 4]).toBeGreaterThan(10 * along[4 * 5 + 2]!);
  const down = blurKernel({ type: "aniso", size: 5, sigma_x: 3, sigma_y: 0.5, theta: Math.PI / 2 });
  expect(down[4 * 5 + 2]).toBeGreaterThan(10 * down[2 * 5 + 4]!);
});
