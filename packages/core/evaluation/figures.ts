/** What pictures are judged by, in the order of tables. */
export const FIGURES = {
  /** Peak signal-to-noise ratio of Y in dB. */
  psnr_y: { title: "PSNR-Y", digits: 2, better: "higher" },
  /** Structural similarity of Y. */
  ssim_y: { title: "SSIM-Y", digits: 4, better: "higher" },
  lpips: { title: "LPIPS", digits: 5, better: "lower" },
  dists: { title: "DISTS", digits: 4, better: "lower" },
  /** Of the picture alone. */
  niqe: { title: "NIQE", digits: 2, better: "lower" },
  /** How far NIQE is from that of the ground truth. */
  niqe_distance: { title: "dNIQE", digits: 2, better: "lower" },
  /** Energy of a 16-pixel grid relative to that of the ground truth. */
  grid: { title: "grid", digits: 2, better: "near 1" },
  /** The largest difference of mean R, G and B from the ground truth's, in steps of 8 bits. */
  color: { title: "dRGB", digits: 2, better: "lower" },
  /** The same from the small picture's: what the enlargement itself changed, whatever the degradation did. */
  color_low: { title: "dRGB-LR", digits: 2, better: "lower" },
} as const;

/** The name of a figure, as in files. */
export type FigureName = keyof typeof FIGURES;

/** All figures of a picture; NaN for one that could not be measured, of a picture too small for it, say. */
export type Figures = Readonly<Record<FigureName, number>>;

/** The names of all figures in their order. */
export const FIGURE_NAMES = Object.keys(FIGURES) as FigureName[];

/** The mean of each figure over the pictures that it could be measured of. */
export function meanFigures(all: readonly Figures[]): Figures {
  const entries = FIGURE_NAMES.map((name) => {
    const measured = all.map((figures) => figures[name]).filter((value) => !Number.isNaN(value));
    return [name, measured.reduce((sum, value) => sum + value, 0) / measured.length];
  });
  return Object.fromEntries(entries);
}
