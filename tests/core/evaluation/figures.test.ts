import { FIGURE_NAMES, meanFigures } from "@fluxsr/core";
import { expect, test } from "vitest";

function figures(value: number) {
  return Object.fromEntries(FIGURE_NAMES.map((name) => [name, value])) as Parameters<typeof meanFigures>[0][number];
}

test("meanFigures() leaves out what could not be measured", () => {
  const mean = meanFigures([{ ...figures(1), niqe: NaN }, { ...figures(4), niqe: 3, grid: NaN }, {
    ...figures(4),
    niqe: 5,
    lpips: NaN,
    grid: NaN,
  }]);
  expect(mean).toEqual({ ...figures(3), lpips: 2.5, niqe: 4, grid: 1 });
  expect(meanFigures([{ ...figures(1), niqe: NaN }]).niqe).toBe(NaN);
});
