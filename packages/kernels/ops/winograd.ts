import { type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { unrecorded } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import type { Geometry } from "./_conv_geometry.ts";
import { type Band, bandsOf, common, NUMBERS, runPairs, runTiles, takesFour } from "./_winograd.ts";
import { matmul } from "./matmul.ts";
import source from "./winograd.wgsl" with { type: "text" };

interface Variant {
  readonly aligned: boolean;
}

const weightsOf = variants(({ turned, ...chosen }: Variant & { readonly turned: boolean }) =>
  kernel({
    ...common(source, chosen),
    name: "winograd.weights",
    entry: "weights",
    binds: { weight: "read", numbers: "write" },
    constants: { TURNED: Number(turned) },
  })
);

const pixelsOf = variants((chosen: Variant) =>
  kernel({
    ...common(source, chosen),
    name: "winograd.pixels",
    entry: "pixels",
    binds: { x: "read", numbers: "write" },
  })
);

const resultsOf = variants(({ addend, relu, ...chosen }: Variant & Readonly<Record<"addend" | "relu", boolean>>) =>
  kernel({
    ...common(source, chosen),
    name: "winograd.results",
    entry: "results",
    binds: { m: "read", bias: "read", addend: "read", y: "write" },
    constants: { HAS_ADDEND: Number(addend), RELU: Number(relu) },
  })
);

/** The forms, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = Object.fromEntries(
  [true, false].flatMap((aligned) => {
    const form = aligned ? "vec4" : "scalar";
    return [
      [`weights_${form}`, weightsOf({ aligned, turned: false })],
      [`pixels_${form}`, pixelsOf({ aligned })],
      [`results_${form}`, resultsOf({ aligned, addend: true, relu: true })],
    ];
  }),
);

/** Options of {@linkcode winograd}. */
interface WinogradOptions {
  /** Of the result, which must be that of a 3 x 3 kernel with stride 1. */
  readonly geometry: Geometry;
  /** Whether x is the gradient of the result, and the result that of x. */
  readonly adjoint: boolean;
  readonly bias?: Tensor | undefined;
  readonly addend?: Tensor | undefined;
  readonly activation?: "relu" | undefined;
}

/**
 * Writes to `y [B, out_height, out_width, n]` what 3 x 3 kernels `weight [3, 3, C_in, C_out]` make of `x [B, height, width,
 * c_in]`, or their adjoint: with a quarter of the multiplications of a sum over taps.
 */
export function winograd(
  [x, weight, y]: readonly [Tensor, Tensor, Tensor],
  { geometry, adjoint, bias, addend, activation }: WinogradOptions,
): void {
  const { gpu } = x;
  const { n, pad_top, pad_left } = geometry;
  // Turned kernels begin where the others ended.
  const padding = adjoint ? { pad_top: 2 - pad_top, pad_left: 2 - pad_left } : { pad_top, pad_left };
  const aligned = takesFour(gpu, n);
  using u = transformedWeights(weight, { turned: adjoint });
  for (const band of bandsOf(gpu, y.shape[0] ?? 0, geometry)) {
    using v = transformedPixels(x, { band, ...padding });
    using m = unrecorded(gpu, () => matmul(v, u, { transposeB: adjoint }));
    const kernel = resultsOf({ aligned, addend: addend !== undefined, relu: activation === "relu" });
    // Bindings that the variant does not read need a buffer all the same.
    const has_bias = Number(bias !== undefined);
    runTiles(kernel, [m, bias ?? m, addend ?? m, y], { picture: y, band, aligned, has_bias });
  }
}

/** `x [B, height, width, C] -> [36, tiles, C]` of the tiles of `band`, whose pixels begin at `-pad_top, -pad_left`. */
export function transformedPixels(
  x: Tensor,
  { band, ...padding }: { readonly band: Band; readonly pad_top: number; readonly pad_left: number },
): Tensor {
  const channels = x.shape.at(-1) ?? 0;
  const aligned = takesFour(x.gpu, channels);
  const v = empty(x.gpu, [NUMBERS, band.tiles, channels]);
  runTiles(pixelsOf({ aligned }), [x, v], { picture: x, band, aligned, ...padding });
  return v;
}

/** `weight [3, 3, C_in, C_out] -> [36, C_in, C_out]` */
function transformedWeights(weight: Tensor, { turned }: { turned: boolean }): Tensor {
  const [inner = 0, outer = 0] = weight.shape.slice(2);
  const aligned = takesFour(weight.gpu, outer);
  const u = empty(weight.gpu, [NUMBERS, inner, outer]);
  runPairs(weightsOf({ aligned, turned }), [weight, u], inner * outer / (aligned ? 4 : 1));
  return u;
}
