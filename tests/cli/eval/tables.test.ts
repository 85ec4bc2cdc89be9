import { FIGURE_NAMES, type Figures } from "@fluxsr/core";
import { expect, test } from "vitest";
import { type Evaluation, meansOf, toJson } from "../../../packages/cli/eval/_evaluation.ts";
import { markdown, TextTable } from "../../../packages/cli/eval/_tables.ts";

function figures(values: Partial<Figures>): Figures {
  const none = Object.fromEntries(FIGURE_NAMES.map((name) => [name, NaN])) as Record<keyof Figures, number>;
  return { ...none, ...values };
}

const PICTURES: Evaluation["pictures"] = [
  {
    name: "a|b",
    figures: new Map([
      ["model", figures({ psnr_y: 30.126, ssim_y: 0.9, lpips: 0.25, grid: 1.25, color: 0.25 })],
      ["bicubic", figures({ psnr_y: Infinity, ssim_y: 0.8, lpips: 0.5, grid: 0.9, color: 0.75 })],
      ["GT", figures({ niqe: 3 })],
    ]),
  },
  {
    name: "second",
    figures: new Map([
      ["model", figures({ psnr_y: 20, ssim_y: 0.7, lpips: 0.125, grid: 0.85, color: 1.25 })],
      ["bicubic", figures({ psnr_y: 10, ssim_y: 0.6, niqe: 4, color: 0.75 })],
      ["GT", figures({ niqe: 3 })],
    ]),
  },
];

const EVALUATION: Evaluation = {
  adapter: { description: "Pretender 9", vendor: "none", software: true },
  model: { name: "tiny", path: "models/tiny", lora: null, strength: 1 },
  pairs: "pairs",
  scale: 4,
  crop_border: 3,
  network: "pseudo-random VGG16",
  means: meansOf(PICTURES),
  pictures: PICTURES,
};

test("TextTable has its columns below each other", () => {
  const table = new TextTable({ pictures: ["mean", "a|b", "second"], methods: ["model", "bicubic", "GT"] });
  const lines = (table.head() + table.lines("a|b", PICTURES[0]!.figures)).split("\n");
  expect(lines).toEqual([
    "picture  method    PSNR-Y   SSIM-Y    LPIPS    DISTS     NIQE    dNIQE     grid     dRGB  dRGB-LR",
    "a|b      model      30.13   0.9000  0.25000        -        -        -     1.25     0.25        -",
    "         bicubic      inf   0.8000  0.50000        -        -        -     0.90     0.75        -",
    "         GT             -        -        -        -     3.00        -        -        -        -",
    "",
  ]);
});

test("markdown() has the means, the best of each figure in bold, and all pictures", () => {
  const lines = markdown(EVALUATION).split("\n");
  expect(lines.slice(0, 3)).toEqual([
    "# tiny: 2 pairs, x4",
    "",
    "Means over the pairs in `pairs`, less a border of 3 pixels; LPIPS and DISTS with pseudo-random VGG16.",
  ]);
  expect(lines.slice(4, 9)).toEqual([
    "|  | PSNR-Y | SSIM-Y | LPIPS | DISTS | NIQE | dNIQE | grid | dRGB | dRGB-LR |",
    "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    "| model | 25.06 | **0.8000** | **0.18750** | - | - | - | **1.05** | **0.75** | - |",
    "| bicubic | **inf** | 0.7000 | 0.50000 | - | **4.00** | - | 0.90 | **0.75** | - |",
    "| GT | - | - | - | - | 3.00 | - | - | - | - |",
  ]);
  const rows = lines.slice(lines.indexOf("## Every picture") + 4, -1);
  expect(rows).toHaveLength(6);
  expect(rows[0]).toBe("| a\\|b | model | 30.13 | 0.9000 | 0.25000 | - | - | - | 1.25 | 0.25 | - |");
  expect(rows[4]).toBe("|  | bicubic | 10.00 | 0.6000 | - | - | 4.00 | - | - | 0.75 | - |");
});

test("markdown() says a strength that is not the default", () => {
  const model = { ...EVALUATION.model, strength: 0.5 };
  expect(markdown({ ...EVALUATION, model }).split("\n")[0]).toBe("# tiny: 2 pairs, x4, strength 0.5");
});

test("toJson() has everything, with null for what could not be measured", () => {
  const json = JSON.parse(toJson(EVALUATION));
  expect(Object.keys(json)).toEqual([
    "adapter",
    "model",
    "pairs",
    "scale",
    "crop_border",
    "network",
    "means",
    "pictures",
  ]);
  expect(json.means.model).toEqual({
    psnr_y: 25.063,
    ssim_y: 0.8,
    lpips: 0.1875,
    dists: null,
    niqe: null,
    niqe_distance: null,
    grid: 1.05,
    color: 0.75,
    color_low: null,
  });
  expect(json.means.bicubic.psnr_y).toBeNull();
  expect(json.pictures.map(({ name }: { name: string }) => name)).toEqual(["a|b", "second"]);
  expect(json.pictures[1].figures.bicubic.niqe).toBe(4);
});
