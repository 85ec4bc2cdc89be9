import { expect, test, vi } from "vitest";
import { variants } from "../../../packages/kernels/gpu/variants.ts";

interface Choices {
  readonly dtype: "f32" | "f16";
  readonly bias: boolean;
  readonly threads: number;
}

test("each variant is built once, whatever the order of its choices", () => {
  const build = vi.fn((choices: Choices) => ({ ...choices }));
  const variant = variants(build);
  const first = variant({ dtype: "f32", bias: true, threads: 8 });
  expect(first).toEqual({ dtype: "f32", bias: true, threads: 8 });
  expect(variant({ threads: 8, bias: true, dtype: "f32" })).toBe(first);
  expect(build).toHaveBeenCalledTimes(1);
});

test("variants that differ in one choice are different", () => {
  const variant = variants((choices: Choices) => ({ ...choices }));
  const all = (["f32", "f16"] as const).flatMap((dtype) =>
    [false, true].flatMap((bias) => [0, 1, 8].map((threads) => ({ dtype, bias, threads })))
  );
  expect(all.map(variant)).toEqual(all);
  expect(all.map(variant).map((each) => all.map(variant).indexOf(each))).toEqual(all.map((_, i) => i));
});

test("two families of variants know nothing of each other", () => {
  const [one, two] = [1, 2].map((family) => variants(({ bias }: { bias: boolean }) => ({ family, bias })));
  expect([one!({ bias: true }), two!({ bias: true })]).toEqual([{ family: 1, bias: true }, { family: 2, bias: true }]);
});
