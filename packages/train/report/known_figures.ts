/** What a figure of the validation is called, and which way it should go. */
export interface KnownFigure {
  readonly label: string;
  readonly wanted: string;
}

const KNOWN: Readonly<Record<string, KnownFigure>> = {
  psnr_y: { label: "PSNR of Y, dB", wanted: "higher is better" },
  ssim_y: { label: "SSIM of Y", wanted: "higher is better" },
  lpips: { label: "LPIPS", wanted: "lower is better" },
  grid: { label: "16-pixel grid", wanted: "1 is as the true picture" },
};

/** Any figure by its name in `metrics.jsonl`. */
export function knownFigure(name: string): KnownFigure {
  return KNOWN[name] ?? { label: name, wanted: "" };
}
