import { type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { unrecorded } from "../tensor/tape.ts";
import { empty, type Shape, type Tensor } from "../tensor/tensor.ts";
import type { Geometry } from "./_conv_geometry.ts";
import { type Band, bandsOf, common, NUMBERS, runPairs, runTiles, takesFour } from "./_winograd.ts";
import { matmul } from "./matmul.ts";
import { transformedPixels } from "./winograd.ts";
import source from "./winograd_weight.wgsl" with { type: "text" };

interface Variant {
  readonly aligned: boolean;
}

const gradientsOf = variants((chosen: Variant) =>
  kernel({
    ...common(source, chosen),
    name: "winograd_weight.gradients",
    entry: "gradients",
    binds: { dy: "read", numbers: "write" },
  })
);

const sumsOf = variants((chosen: Variant) =>
  kernel({ ...common(source, chosen), name: "winograd_weight.sums", entry: "sums", binds: { m: "read", dw: "write" } })
);

/** The forms, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = {
  gradients_vec4: gradientsOf({ aligned: true }),
  gradients_scalar: gradientsOf({ aligned: false }),
  sums_vec4: sumsOf({ aligned: true }),
  sums_scalar: sumsOf({ aligned: false }),
};

/**
 * The gradient of the weight of a convolution with 3 x 3 kernels and stride 1: `x [B, h, w, C_in], dy [B, oh, ow, C_out] ->
 * [3, 3, C_in, C_out]`, which is `shape`: sums over the tiles of a band, added up band by band.
 */
export function winogradWeight([x, dy]: readonly [Tensor, Tensor], shape: Shape, geometry: Geometry): Tensor {
  const { gpu } = x;
  const { n, c_in, pad_top, pad_left } = geometry;
  const aligned = takesFour(gpu, n);
  let m: Tensor | undefined;
  for (const band of bandsOf(gpu, x.shape[0] ?? 0, geometry)) {
    using v = transformedPixels(x, { band, pad_top, pad_left });
    using e = transformedGradients(dy, { band, aligned });
    const before = m;
    m = unrecorded(gpu, () => matmul(v, e, { transposeA: true, addend: before }));
    before?.dispose();
  }
  using sums = m!;
  const dw = empty(gpu, shape);
  runPairs(sumsOf({ aligned }), [sums, dw], c_in * n / (aligned ? 4 : 1));
  return dw;
}

/** `dy [B, oh, ow, C_out] -> [36, tiles, C_out]` */
function transformedGradients(dy: Tensor, { band, aligned }: { band: Band; aligned: boolean }): Tensor {
  const e = empty(dy.gpu, [NUMBERS, band.tiles, dy.shape.at(-1) ?? 0]);
  runTiles(gradientsOf({ aligned }), [dy, e], { picture: dy, band, aligned });
  return e;
}
