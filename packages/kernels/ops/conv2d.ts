import { type Kernel, kernel } from "../gpu/kernel.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, type Shape, show, sizeOf, type Tensor } from "../tensor/tensor.ts";
import activations from "./_activation.wgsl" with { type: "text" };
import xScalar from "./_conv_x_scalar.wgsl" with { type: "text" };
import xVec4 from "./_conv_x_vec4.wgsl" with { type: "text" };
import bScalar from "./_matmul_b_scalar.wgsl" with { type: "text" };
import bVec4 from "./_matmul_b_vec4.wgsl" with { type: "text" };
import loadB from "./_matmul_load_b.wgsl" with { type: "text" };
import { tileGroups, tileThreads } from "./_register_tile.ts";
import registerStore from "./_register_store.wgsl" with { type: "text" };
import registerTile from "./_register_tile.wgsl" with { type: "text" };
import { columnSum } from "./column_sum.ts";
import source from "./conv2d.wgsl" with { type: "text" };
import { matmul } from "./matmul.ts";
import { reshape } from "./reshape.ts";

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
  /** Default 1. */
  readonly stride?: number;
  /** The same on all sides, or each side's own; default 0. */
  readonly padding?: number | Padding;
}

const PARAMS = {
  m: "u32",
  n: "u32",
  c_in: "u32",
  height: "u32",
  width: "u32",
  out_height: "u32",
  out_width: "u32",
  kernel_height: "u32",
  kernel_width: "u32",
  stride: "u32",
  pad_top: "u32",
  pad_left: "u32",
  lines: "u32",
  chunk: "u32",
  alpha: "f32",
} as const;
type Params = Readonly<Record<keyof typeof PARAMS, number>>;

/** In the gradient of x, only every stride-th pixel along each axis meets a weight. */
const FLOPS = {
  forward: ({ m, n, c_in, kernel_height, kernel_width }: Params) => 2 * m * n * c_in * kernel_height * kernel_width,
  backward_x: (params: Params) => FLOPS.forward(params) / params.stride ** 2,
  backward_weight: ({ m, n, lines, out_width }: Params) => 2 * m * n * lines * out_width,
};

/** Threads that the gradient of a weight is spread over, as many as a large GPU holds; also the most chunks. */
const THREADS = 65535;
/** The fewest pixels that are worth a partial sum. */
const PIXELS = 64;

interface Variant {
  readonly name: "forward" | "backward_x" | "backward_weight";
  readonly aligned: { readonly x: boolean; readonly b: boolean };
  readonly bias: boolean;
  readonly addend: boolean;
  readonly threads: ReturnType<typeof tileThreads>;
}

function build({ name, aligned, bias, addend, threads }: Variant) {
  return kernel({
    name: `conv2d.${name}`,
    sources: [
      aligned.x ? xVec4 : xScalar,
      aligned.b ? bVec4 : bScalar,
      loadB,
      activations,
      registerTile,
      registerStore,
      source,
    ],
    entry: name === "backward_weight" ? name : "forward",
    binds: { x: "read", b: "read", bias: "read", addend: "read", c: "write" },
    params: PARAMS,
    flops: FLOPS[name],
    constants: {
      ADJOINT: Number(name === "backward_x"),
      B_TRANSPOSED: Number(name === "backward_x"),
      HAS_BIAS: Number(bias),
      HAS_ADDEND: Number(addend),
      INTERLEAVED: Number(name !== "backward_weight"),
      ...threads,
    },
  });
}

const variants = new Map<string, ReturnType<typeof build>>();

function variant(wanted: Variant) {
  const key = JSON.stringify(wanted);
  let found = variants.get(key);
  if (!found) variants.set(key, found = build(wanted));
  return found;
}

/** The plain variants, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = Object.fromEntries(
  (["forward", "backward_x", "backward_weight"] as const).map((name) => [
    name,
    build({ name, aligned: { x: true, b: true }, bias: false, addend: false, threads: tileThreads(64) }),
  ]),
);

/** Runs a variant on the tensors in the order of its bindings; those that it does not read need a buffer all the same. */
function dispatch(
  name: Variant["name"],
  [x, b, c]: readonly [Tensor, Tensor, Tensor],
  { params, rows = params.m, batches = 1, bias, addend }: {
    readonly params: Params;
    readonly rows?: number;
    readonly batches?: number;
    readonly bias?: Tensor | undefined;
    readonly addend?: Tensor | undefined;
  },
): Tensor {
  const { c_in, n } = params;
  const aligned = { x: c_in % 4 === 0, b: (name === "backward_x" ? c_in : n) % 4 === 0 };
  const kernel = variant({
    name,
    aligned,
    bias: bias !== undefined,
    addend: addend !== undefined,
    threads: tileThreads(n),
  });
  x.gpu.run(kernel, {
    buffers: [x, b, bias ?? x, addend ?? x, c].map(({ buffer }) => buffer),
    params,
    groups: tileGroups({ m: rows, n, batches }),
  });
  return c;
}

/** The gradient of x, of the given shape: x and y exchange their roles. */
function gradientX([dy, weight]: [Tensor, Tensor], shape: Shape, { c_in, n, ...params }: Params): Tensor {
  const { height, width, out_height, out_width } = params;
  return dispatch("backward_x", [dy, weight, empty(dy.gpu, shape)], {
    params: {
      ...params,
      m: sizeOf(shape) / c_in,
      n: c_in,
      c_in: n,
      height: out_height,
      width: out_width,
      out_height: height,
      out_width: width,
    },
  });
}

/** The gradient of the weight, of the given shape: sums over chunks of lines, then the sum of those. */
function gradientWeight([x, dy]: [Tensor, Tensor], shape: Shape, params: Params): Tensor {
  const { c_in, n, lines, out_width, kernel_height, kernel_width } = params;
  const taps = kernel_height * kernel_width;
  const rows = taps * Math.ceil(c_in / 8) * 8;
  const wanted = Math.ceil(THREADS / (rows / 8 * Math.ceil(n / 8)));
  const chunk = Math.max(Math.ceil(lines / wanted), Math.ceil(PIXELS / out_width));
  const chunks = Math.ceil(lines / chunk);
  const sums = dispatch("backward_weight", [x, dy, empty(x.gpu, [chunks, sizeOf(shape)])], {
    params: { ...params, m: taps * c_in, chunk },
    rows,
    batches: chunks,
  });
  return reshape(chunks === 1 ? sums : columnSum(sums), shape);
}

/**
 * 2-D convolution, channels last: `x [B, h, w, C_in], weight [kh, kw, C_in, C_out] -> [B, oh, ow, C_out]`.
 *
 * A 1x1 kernel with stride 1 is a matrix product and runs as one.
 * @throws {TypeError} if shapes do not fit
 */
export function conv2d(x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor {
  const { bias, addend, stride = 1, padding = 0 } = options;
  const pad = typeof padding === "number" ? { top: padding, left: padding, bottom: padding, right: padding } : padding;
  const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
  const [kernelHeight = 0, kernelWidth = 0, inner = 0, n = 0] = weight.shape;
  const outHeight = Math.floor((height + pad.top + pad.bottom - kernelHeight) / stride) + 1;
  const outWidth = Math.floor((width + pad.left + pad.right - kernelWidth) / stride) + 1;
  if (x.shape.length !== 4 || weight.shape.length !== 4 || channels !== inner) {
    throw new TypeError(
      `Cannot convolve: channels must match: x is ${show(x.shape)}, weight is ${show(weight.shape)} [kh, kw, in, out]`,
    );
  }
  if (outHeight < 1 || outWidth < 1) {
    throw new TypeError(`Cannot convolve: the kernel must fit the padded picture: x is ${show(x.shape)}`);
  }
  const shape = [batch, outHeight, outWidth, n];
  if ((bias && show(bias.shape) !== show([n])) || (addend && show(addend.shape) !== show(shape))) {
    const given = [bias, addend].filter((tensor) => tensor !== undefined).map((tensor) => show(tensor.shape)).join(
      ", ",
    );
    throw new TypeError(`Cannot convolve: bias must be [${n}] and addend ${show(shape)}: given ${given}`);
  }
  if (kernelHeight === 1 && kernelWidth === 1 && stride === 1 && outHeight === height && outWidth === width) {
    return matmul(x, reshape(weight, [inner, n]), { bias, addend });
  }
  const params = {
    m: batch * outHeight * outWidth,
    n,
    c_in: channels,
    height,
    width,
    out_height: outHeight,
    out_width: outWidth,
    kernel_height: kernelHeight,
    kernel_width: kernelWidth,
    stride,
    pad_top: pad.top,
    pad_left: pad.left,
    lines: batch * outHeight,
    chunk: 0,
    alpha: 1,
  };
  const y = dispatch("forward", [x, weight, empty(x.gpu, shape)], { params, bias, addend });
  const wanted = { x: tracked(x), weight: tracked(weight), bias: bias !== undefined && tracked(bias) };
  return record("conv2d", y, [x, weight, ...[addend, bias].filter((tensor) => tensor !== undefined)], (dy) => [
    wanted.x ? gradientX([dy, weight], x.shape, params) : undefined,
    wanted.weight ? gradientWeight([x, dy], weight.shape, params) : undefined,
    ...addend ? [dy] : [],
    ...bias ? [wanted.bias ? columnSum(dy) : undefined] : [],
  ]);
}
