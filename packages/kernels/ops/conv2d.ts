import { type Kernel, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, show, type Tensor } from "../tensor/tensor.ts";
import activations from "./_activation.wgsl" with { type: "text" };
import xScalar from "./_conv_x_scalar.wgsl" with { type: "text" };
import xVec4 from "./_conv_x_vec4.wgsl" with { type: "text" };
import wScalar from "./_matmul_b_scalar.wgsl" with { type: "text" };
import wVec4 from "./_matmul_b_vec4.wgsl" with { type: "text" };
import loadB from "./_matmul_load_b.wgsl" with { type: "text" };
import { tileGroups, tileThreads } from "./_register_tile.ts";
import registerStore from "./_register_store.wgsl" with { type: "text" };
import registerTile from "./_register_tile.wgsl" with { type: "text" };
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

interface Variant {
  readonly aligned: { readonly x: boolean; readonly w: boolean };
  readonly bias: boolean;
  readonly addend: boolean;
  readonly threads: ReturnType<typeof tileThreads>;
}

function build({ aligned, bias, addend, threads }: Variant) {
  return kernel({
    name: "conv2d.forward",
    sources: [
      aligned.x ? xVec4 : xScalar,
      aligned.w ? wVec4 : wScalar,
      loadB,
      activations,
      registerTile,
      registerStore,
      source,
    ],
    entry: "forward",
    binds: { x: "read", b: "read", bias: "read", addend: "read", c: "write" },
    params: {
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
      alpha: "f32",
    },
    constants: { HAS_BIAS: Number(bias), HAS_ADDEND: Number(addend), ...threads },
  });
}

const variants = new Map<string, ReturnType<typeof build>>();

function variant(wanted: Variant) {
  const key = JSON.stringify(wanted);
  let found = variants.get(key);
  if (!found) variants.set(key, found = build(wanted));
  return found;
}

/** The plain variant, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = {
  forward: build({ aligned: { x: true, w: true }, bias: false, addend: false, threads: tileThreads(64) }),
};

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
  const y = empty(x.gpu, shape);
  const m = batch * outHeight * outWidth;
  x.gpu.run(
    variant({
      aligned: { x: channels % 4 === 0, w: n % 4 === 0 },
      bias: bias !== undefined,
      addend: addend !== undefined,
      threads: tileThreads(n),
    }),
    {
      // Bindings that the variant does not read need a buffer all the same.
      buffers: [x, weight, bias ?? x, addend ?? x, y].map(({ buffer }) => buffer),
      params: {
        m,
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
        alpha: 1,
      },
      groups: tileGroups({ m, n, batches: 1 }),
    },
  );
  return record("conv2d", y, [x, weight, ...[bias, addend].filter((tensor) => tensor !== undefined)]);
}
