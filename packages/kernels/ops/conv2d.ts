import { type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { scoped } from "../tensor/scope.ts";
import { record, tracked, unrecorded } from "../tensor/tape.ts";
import { empty, type Shape, show, type Tensor } from "../tensor/tensor.ts";
import { ACTIVATIONS } from "./_activation.ts";
import { GEOMETRY, type Geometry } from "./_conv_geometry.ts";
import convGeometry from "./_conv_geometry.wgsl" with { type: "text" };
import convPixels from "./_conv_pixels.wgsl" with { type: "text" };
import { epilogue, productGroups, productOf, storeOf, tilingOf, type Way, wayOf } from "./_product.ts";
import productA from "./_product_a.wgsl" with { type: "text" };
import productB from "./_product_b.wgsl" with { type: "text" };
import aScalar from "./_read_a_scalar.wgsl" with { type: "text" };
import aVec4 from "./_read_a_vec4.wgsl" with { type: "text" };
import { readsOfB } from "./_read_b.ts";
import { requireF32 } from "./_shapes.ts";
import { relu, reluBackward } from "./activation.ts";
import { columnSum } from "./column_sum.ts";
import { conv2dWeight } from "./conv2d_weight.ts";
import wide from "./conv2d.wgsl" with { type: "text" };
import narrow from "./conv2d_narrow.wgsl" with { type: "text" };
import { matmul } from "./matmul.ts";
import { permute } from "./permute.ts";
import { reshape } from "./reshape.ts";
import { winograd } from "./winograd.ts";

/** Zero pixels added on each side. */
export interface Padding {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** Options of {@linkcode conv2d}. */
export interface Conv2dOptions {
  /** [C_out] */
  readonly bias?: Tensor | undefined;
  /** The shape of the result; added to it (a residual connection). */
  readonly addend?: Tensor | undefined;
  /** Applied last; default none. */
  readonly activation?: "relu" | undefined;
  /** Default 1. */
  readonly stride?: number;
  /** The same on all sides, or each side's own; default 0. */
  readonly padding?: number | Padding;
}

const PARAMS = { m: "u32", ...GEOMETRY, alpha: "f32", has_bias: "u32" } as const;

/** Results of so few channels are computed with the sides of the product exchanged. */
const NARROW = 16;

interface Variant extends Way {
  readonly adjoint: boolean;
  readonly phased: boolean;
  readonly narrow: boolean;
  readonly alignedX: boolean;
  readonly alignedWeight: boolean;
  readonly alignedY: boolean;
  readonly addend: boolean;
  readonly activation: "relu" | "none";
}

const variant = variants((chosen: Variant) => {
  const { adjoint, phased, alignedX, alignedWeight, alignedY, addend, activation } = chosen;
  const { sources, constants, features } = productOf(chosen, { segmented: true });
  const readB = readsOfB("f32", { aligned: alignedWeight });
  const sides = chosen.narrow ? [...epilogue, narrow] : [productA, productB, ...storeOf({ aligned: alignedY }), wide];
  return kernel({
    name: `conv2d.${adjoint ? "backward_x" : "forward"}`,
    sources: [alignedX ? aVec4 : aScalar, ...readB, convGeometry, convPixels, ...sides, ...sources],
    entry: "forward",
    features,
    binds: { a: "read", b: "read", bias: "read", addend: "read", c: "write" },
    params: PARAMS,
    // A pixel of a phase meets one of stride^2 taps.
    flops: ({ m, n, c_in, kernel_height, kernel_width, stride }, [, , phases]) =>
      2 * m * phases * n * c_in * kernel_height * kernel_width / (phased ? stride ** 2 : 1),
    constants: {
      ADJOINT: Number(adjoint),
      PHASED: Number(phased),
      ...chosen.narrow ? {} : { B_TRANSPOSED: Number(adjoint) },
      HAS_ADDEND: Number(addend),
      ACTIVATION: ACTIVATIONS[activation],
      ...constants,
    },
  });
});

const LANES = wayOf({ by: "lanes", rows: 32, columns: 32 });
const PLAIN = {
  adjoint: false,
  phased: false,
  narrow: false,
  alignedX: true,
  alignedWeight: true,
  alignedY: true,
  addend: false,
  activation: "none",
} as const;

/** The plain variants, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = {
  lanes: variant({ ...PLAIN, ...LANES }),
  shared: variant({ ...PLAIN, ...wayOf({ by: "shared", rows: 64, columns: 64 }) }),
  narrow: variant({ ...PLAIN, narrow: true, ...LANES, rows: 8 }),
  backward_x: variant({ ...PLAIN, adjoint: true, phased: true, ...LANES }),
};

/** `weight [kh, kw, C_in, C_out] -> [taps, C_out, C_in]` */
function transposed(weight: Tensor): Tensor {
  return scoped(weight.gpu, () => permute(reshape(weight, [-1, ...weight.shape.slice(2)]), [0, 2, 1]));
}

/** Runs a convolution, or its adjoint, whose geometry is that of the result `y`, on x and weight. */
function convolve(
  [x, weight, y]: readonly [Tensor, Tensor, Tensor],
  { geometry, adjoint = false, bias, addend, activation }: {
    readonly geometry: Geometry;
    readonly adjoint?: boolean;
    readonly bias?: Tensor | undefined;
    readonly addend?: Tensor | undefined;
    readonly activation?: "relu" | undefined;
  },
): Tensor {
  const { n, c_in, stride, out_height, out_width, kernel_height, kernel_width, pad_top, pad_left } = geometry;
  // A ReLU's gradient is decided by the sum's sign: rounded as coarsely as transformed, a few would be others.
  const hasTies = activation === "relu" && [x, weight, bias, addend].some((each) => each && tracked(each));
  const isPlain3x3 = kernel_height === 3 && kernel_width === 3 && stride === 1 && Math.max(pad_top, pad_left) < 3 &&
    !hasTies;
  const phased = adjoint && stride > 1;
  const lattice = (size: number) => phased ? Math.ceil(size / stride) : size;
  const m = (y.shape[0] ?? 0) * lattice(out_height) * lattice(out_width);
  const batches = phased ? stride ** 2 : 1;
  const sizes = { depth: c_in, segments: kernel_height * kernel_width, batches };
  const isNarrow = n <= NARROW;
  const [rows, columns] = isNarrow ? [n, m] : [m, n];
  const tiling = isNarrow
    ? tilingOf(x.gpu, { op: "conv2d_narrow", rows, columns, ...sizes, transposeB: true })
    : tilingOf(x.gpu, { op: isPlain3x3 ? "conv2d_3x3" : "conv2d", rows, columns, ...sizes, transposeB: adjoint });
  if (tiling.by === "winograd") {
    winograd([x, weight, y], { geometry, adjoint, bias, addend, activation });
    return y;
  }
  // By column: what a thread reads, four input channels, is then in one place.
  const byColumn = isNarrow && !adjoint;
  const b = byColumn ? unrecorded(x.gpu, () => transposed(weight)) : weight;
  x.gpu.run(
    variant({
      adjoint,
      phased,
      narrow: isNarrow,
      alignedX: c_in % 4 === 0,
      alignedWeight: (adjoint || byColumn ? c_in : n) % 4 === 0,
      alignedY: n % 4 === 0,
      addend: addend !== undefined,
      activation: activation ?? "none",
      ...wayOf(tiling),
    }),
    {
      // Bindings that the variant does not read need a buffer all the same.
      buffers: [x, b, bias ?? x, addend ?? x, y].map(({ buffer }) => buffer),
      params: { m, ...geometry, alpha: 1, has_bias: Number(bias !== undefined) },
      groups: productGroups(tiling, { rows, columns, batches }),
    },
  );
  if (byColumn) b.dispose();
  return y;
}

/** The gradient of x, of the given shape: x and y exchange their roles. */
function gradientX([dy, weight]: [Tensor, Tensor], shape: Shape, geometry: Geometry): Tensor {
  const { n, c_in, height, width, out_height, out_width } = geometry;
  const exchanged = { n: c_in, c_in: n, height: out_height, width: out_width, out_height: height, out_width: width };
  return convolve([dy, weight, empty(dy.gpu, shape)], { geometry: { ...geometry, ...exchanged }, adjoint: true });
}

/** The geometry of a convolution, and the shape of its result. @throws {TypeError} if shapes do not fit */
function measure(
  x: Tensor,
  weight: Tensor,
  { bias, addend, stride = 1, padding = 0 }: Conv2dOptions,
): { geometry: Geometry; shape: Shape } {
  const pad = typeof padding === "number" ? { top: padding, left: padding, bottom: padding, right: padding } : padding;
  const [batch = 0, height = 0, width = 0, c_in = 0] = x.shape;
  const [kernel_height = 0, kernel_width = 0, inner = 0, n = 0] = weight.shape;
  if (x.shape.length !== 4 || weight.shape.length !== 4 || c_in !== inner) {
    throw new TypeError(
      `Cannot convolve: channels must match: x is ${show(x.shape)}, weight is ${show(weight.shape)} [kh, kw, in, out]`,
    );
  }
  const out_height = Math.floor((height + pad.top + pad.bottom - kernel_height) / stride) + 1;
  const out_width = Math.floor((width + pad.left + pad.right - kernel_width) / stride) + 1;
  if (out_height < 1 || out_width < 1) {
    throw new TypeError(`Cannot convolve: the kernel must fit the padded picture: x is ${show(x.shape)}`);
  }
  const shape = [batch, out_height, out_width, n];
  if ((bias && show(bias.shape) !== show([n])) || (addend && show(addend.shape) !== show(shape))) {
    const given = [bias, addend].filter((tensor) => tensor !== undefined).map((tensor) => show(tensor.shape));
    throw new TypeError(
      `Cannot convolve: bias must be [${n}] and addend ${show(shape)}: given ${given.join(", ")}`,
    );
  }
  const sizes = { n, c_in, height, width, out_height, out_width, kernel_height, kernel_width };
  return { geometry: { ...sizes, stride, pad_top: pad.top, pad_left: pad.left }, shape };
}

/** Whether every result is made of the pixel at its own place: then it is a product of matrices. */
function isPointwise({ kernel_height, kernel_width, stride, height, width, out_height, out_width }: Geometry): boolean {
  return kernel_height * kernel_width * stride === 1 && out_height === height && out_width === width;
}

/**
 * 2-D convolution, channels last: `x [B, h, w, C_in], weight [kh, kw, C_in, C_out] -> [B, oh, ow, C_out]`.
 *
 * With `activation` it is applied to the sum of all. A 1x1 kernel with stride 1 is a matrix product and runs as one.
 * @throws {TypeError} if shapes do not fit
 */
export function conv2d(x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor {
  const { bias, addend, activation } = options;
  const { geometry, shape } = measure(x, weight, options);
  if (isPointwise(geometry)) {
    return scoped(x.gpu, () => {
      const y = matmul(x, reshape(weight, weight.shape.slice(2)), { bias, addend });
      return activation ? relu(y) : y;
    });
  }
  requireF32("conv2d", { x, weight, bias, addend });
  const y = convolve([x, weight, empty(x.gpu, shape)], { geometry, bias, addend, activation });
  const wanted = { x: tracked(x), weight: tracked(weight), bias: bias !== undefined && tracked(bias) };
  return record("conv2d", y, {
    inputs: [x, weight, ...[addend, bias].filter((tensor) => tensor !== undefined)],
    saved: [weight, ...wanted.weight ? [x] : [], ...activation ? [y] : []],
    backward: (dy) => {
      const g = activation ? reluBackward(y, dy) : dy;
      return [
        wanted.x ? gradientX([g, weight], x.shape, geometry) : undefined,
        wanted.weight ? conv2dWeight([x, g], weight.shape, geometry) : undefined,
        ...addend ? [g] : [],
        ...bias ? [wanted.bias ? columnSum(g) : undefined] : [],
      ];
    },
  });
}
