import bessel from "bessel";

/** Shapes of blur whose parameters are standard deviations. */
export type GaussianKind =
  | "iso"
  | "aniso"
  | "generalized_iso"
  | "generalized_aniso"
  | "plateau_iso"
  | "plateau_aniso";

/** A blur kernel in words. */
export type BlurKernel = GaussianBlur | SincBlur;

/** A kernel around a Gaussian of standard deviations in pixels along two axes. */
export interface GaussianBlur {
  readonly type: GaussianKind;
  /** Side in pixels, odd. */
  readonly size: number;
  readonly sigma_x: number;
  /** Of the anisotropic kinds. */
  readonly sigma_y?: number;
  /** Of the anisotropic kinds: the angle from the x axis in radians. */
  readonly theta?: number;
  /** Of the generalised and the plateau kinds: how steep the flanks are; 1 is the Gaussian itself, or 1 / (q + 1). */
  readonly beta?: number;
}

/** A circular low pass: it rings as sharpened and compressed pictures do. */
export interface SincBlur {
  readonly type: "sinc";
  readonly size: number;
  /** Highest frequency that passes, in radians a pixel. */
  readonly cutoff: number;
}

/**
 * The values of a kernel, [size, size] row by row, with sum 1; in f64.
 *
 * Formulas: Real-ESRGAN (arXiv 2107.10833), sections 3.1 (blur) and 3.3 (sinc), with x along columns and y along rows.
 */
export function blurKernel(kernel: BlurKernel): Float64Array {
  const { size } = kernel;
  const density = kernel.type === "sinc" ? sinc(kernel) : gaussian(kernel);
  const half = (size - 1) / 2;
  const values = Float64Array.from(
    { length: size * size },
    (_, i) => density(i % size - half, Math.floor(i / size) - half),
  );
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}

type Density = (x: number, y: number) => number;

/** Functions of q = p^T S^-1 p, p = (x, y), with the covariance S = U diag(sigma_x^2, sigma_y^2) U^T, U turning by theta. */
function gaussian({ type, sigma_x, sigma_y = sigma_x, theta = 0, beta = 1 }: GaussianBlur): Density {
  const [cos, sin] = [Math.cos(theta), Math.sin(theta)];
  const profile = type.startsWith("plateau")
    ? (q: number) => 1 / (q ** beta + 1)
    : (q: number) => Math.exp(-(q ** beta) / 2);
  return (x, y) => profile(((cos * x + sin * y) / sigma_x) ** 2 + ((cos * y - sin * x) / sigma_y) ** 2);
}

/**
 * k(r) = w J1(w r) / (2 pi r), and w^2 / (4 pi) in the middle. The Bessel function comes with an error of 5e-9, which is
 * less than f32 resolves of 1.
 */
function sinc({ cutoff: w }: SincBlur): Density {
  return (x, y) => {
    const r = Math.hypot(x, y);
    return r === 0 ? w ** 2 / (4 * Math.PI) : w * bessel.besselj(w * r, 1) / (2 * Math.PI * r);
  };
}
