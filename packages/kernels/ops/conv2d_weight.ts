import { type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { empty, type Shape, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { GEOMETRY, type Geometry } from "./_conv_geometry.ts";
import { productGroups, productOf, storeOf, tilingOf, type Way, wayOf } from "./_product.ts";
import productA from "./_product_a.wgsl" with { type: "text" };
import productB from "./_product_b.wgsl" with { type: "text" };
import aScalar from "./_read_a_scalar.wgsl" with { type: "text" };
import aVec4 from "./_read_a_vec4.wgsl" with { type: "text" };
import { readsOfB } from "./_read_b.ts";
import { columnSum } from "./column_sum.ts";
import source from "./conv2d_weight.wgsl" with { type: "text" };
import { reshape } from "./reshape.ts";
import { winogradWeight } from "./winograd_weight.ts";

const PARAMS = { ...GEOMETRY, lines: "u32", chunk: "u32", alpha: "f32", has_bias: "u32" } as const;

/** Workgroups that keep a large GPU busy: the pixels are divided into so many chunks. */
const WORKGROUPS = 1024;
/** The fewest pixels that are worth a partial sum. */
const PIXELS = 256;

interface Variant extends Way {
  readonly alignedX: boolean;
  readonly alignedY: boolean;
}

const variant = variants(({ alignedX, alignedY, ...way }: Variant) => {
  const { sources, constants, features } = productOf(way, { segmented: true });
  const readB = readsOfB("f32", { aligned: alignedY });
  return kernel({
    name: "conv2d.backward_weight",
    sources: [
      alignedX ? aVec4 : aScalar,
      ...readB,
      productA,
      productB,
      ...storeOf({ aligned: alignedY }),
      source,
      ...sources,
    ],
    entry: "forward",
    features,
    binds: { a: "read", b: "read", bias: "read", addend: "read", c: "write" },
    params: PARAMS,
    flops: ({ n, c_in, kernel_height, kernel_width, lines, out_width }) =>
      2 * kernel_height * kernel_width * c_in * n * lines * out_width,
    constants: { A_TRANSPOSED: 1, ...constants },
  });
});

/** A plain variant of each way, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = {
  lanes: variant({ alignedX: true, alignedY: true, ...wayOf({ by: "lanes", rows: 32, columns: 32 }) }),
  shared: variant({ alignedX: true, alignedY: true, ...wayOf({ by: "shared", rows: 64, columns: 64 }) }),
};

/**
 * The gradient of the weight of a convolution: `x [B, h, w, C_in], dy [B, oh, ow, C_out] -> [kh, kw, C_in, C_out]`, which
 * is `shape`: sums over chunks of lines, then the sum of those.
 */
export function conv2dWeight([x, dy]: readonly [Tensor, Tensor], shape: Shape, geometry: Geometry): Tensor {
  const { n, c_in, kernel_height, kernel_width, stride, out_height, out_width } = geometry;
  const is3x3 = kernel_height === 3 && kernel_width === 3 && stride === 1;
  const rows = kernel_height * kernel_width * Math.ceil(c_in / 4) * 4;
  const lines = (dy.shape[0] ?? 0) * out_height;
  const least = Math.ceil(PIXELS / out_width);
  const sizes = { rows, columns: n, depth: out_width, segments: least, batches: Math.ceil(lines / least) };
  const op = is3x3 ? "conv2d_weight_3x3" : "conv2d_weight";
  const tiling = tilingOf(x.gpu, { op, ...sizes, transposeA: true });
  if (tiling.by === "winograd") return winogradWeight([x, dy], shape, geometry);
  const tiles = Math.ceil(rows / tiling.rows) * Math.ceil(n / tiling.columns);
  const chunk = Math.max(Math.ceil(lines * tiles / WORKGROUPS), least);
  const chunks = Math.ceil(lines / chunk);
  const sums = empty(x.gpu, [chunks, sizeOf(shape)]);
  x.gpu.run(variant({ alignedX: c_in % 4 === 0, alignedY: n % 4 === 0, ...wayOf(tiling) }), {
    // Nothing is added: bindings that are not read need a buffer all the same.
    buffers: [x, dy, x, x, sums].map(({ buffer }) => buffer),
    params: { ...geometry, lines, chunk, alpha: 1, has_bias: 0 },
    groups: productGroups(tiling, { rows, columns: n, batches: chunks }),
  });
  return reshape(chunks === 1 ? sums : columnSum(sums), shape);
}
