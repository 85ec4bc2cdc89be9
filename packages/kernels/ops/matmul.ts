import { type Access, type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { type Dtype, rowMultiple } from "../tensor/dtype.ts";
import { scoped } from "../tensor/scope.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, type Shape, show, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { ACTIVATIONS } from "./_activation.ts";
import {
  type Activation,
  type Epilogue,
  productGroups,
  productOf,
  storeOf,
  tilingOf,
  type Way,
  wayOf,
} from "./_product.ts";
import type { Tiling } from "../tuning/tuning.ts";
import productA from "./_product_a.wgsl" with { type: "text" };
import productB from "./_product_b.wgsl" with { type: "text" };
import aScalar from "./_read_a_scalar.wgsl" with { type: "text" };
import aVec4 from "./_read_a_vec4.wgsl" with { type: "text" };
import { readsOfB } from "./_read_b.ts";
import { requireF32, requireShape } from "./_shapes.ts";
import { gelu, silu } from "./activation.ts";
import { columnSum } from "./column_sum.ts";
import { gateResidual } from "./gate.ts";
import { permute } from "./permute.ts";
import { reshape } from "./reshape.ts";
import { addParts } from "./matmul_parts.ts";
import source from "./matmul.wgsl" with { type: "text" };

export type { Activation };

/** Options of {@linkcode matmul}: `y = activation(alpha a b + bias + addend)`, or `to + gate (alpha a b + bias)`. */
export interface MatmulOptions extends Epilogue {
  /** `a` is [K, M]. */
  readonly transposeA?: boolean;
  /** `b` is [N, K]. */
  readonly transposeB?: boolean;
}

interface Variant extends Way {
  readonly alignedA: boolean;
  readonly alignedB: boolean;
  readonly alignedC: boolean;
  readonly dtype: Dtype;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly addend: boolean;
  readonly gated: boolean;
  readonly inParts: boolean;
  readonly activation: Activation | "none";
}

const BINDS: Readonly<Record<string, Access>> = { a: "read", b: "read", bias: "read", addend: "read", c: "write" };

const variant = variants((chosen: Variant) => {
  const { alignedA, alignedB, alignedC, dtype, transposeA, transposeB, addend, gated, inParts, activation } = chosen;
  const { sources, constants, features } = productOf(chosen);
  const readA = alignedA ? aVec4 : aScalar;
  return kernel({
    name: `matmul.forward.${transposeA ? "t" : "n"}${transposeB ? "t" : "n"}`,
    sources: [
      readA,
      ...readsOfB(dtype, { aligned: alignedB }),
      productA,
      productB,
      ...storeOf({ aligned: alignedC, gated }),
      source,
      ...sources,
    ],
    entry: "forward",
    features,
    binds: gated ? { ...BINDS, gate: "read" } : BINDS,
    params: {
      m: "u32",
      n: "u32",
      k: "u32",
      a_stride: "u32",
      b_stride: "u32",
      alpha: "f32",
      has_bias: "u32",
      gate_rows: "u32",
      parts: "u32",
      steps: "u32",
    },
    flops: ({ m, n, k, parts }, [, , batches]) => 2 * m * n * k * batches / parts,
    constants: {
      A_TRANSPOSED: Number(transposeA),
      B_TRANSPOSED: Number(transposeB),
      IN_PARTS: Number(inParts),
      HAS_ADDEND: Number(addend),
      ACTIVATION: ACTIVATIONS[activation],
      ...constants,
    },
  });
});

/** A part of K is whole blocks, the most that any way holds at a time. */
const BLOCK = 16;

const WAYS: readonly Way[] = [
  wayOf({ by: "lanes", rows: 32, columns: 32 }),
  wayOf({ by: "shared", rows: 64, columns: 64 }),
  wayOf({ by: "few", rows: 4, columns: 4 }),
  wayOf({ by: "matrix", rows: 128, columns: 128, threads: 128 }),
];

/** A plain variant of each way, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = Object.fromEntries(
  WAYS.map((way) => [
    way.by,
    variant({
      alignedA: true,
      alignedB: true,
      alignedC: true,
      dtype: "f32",
      transposeA: false,
      transposeB: false,
      addend: false,
      gated: false,
      inParts: false,
      activation: "none",
      ...way,
    }),
  ]),
);

/** Sizes of the product of `a` and `b`; a 2-D `b` is shared by all batches of `a`. */
function measure(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions) {
  const [a1 = 0, a0 = 0] = a.shape.slice(-2);
  const [b1 = 0, b0 = 0] = b.shape.slice(-2);
  const [m, k] = transposeA ? [a0, a1] : [a1, a0];
  const [inner, n] = transposeB ? [b0, b1] : [b1, b0];
  const leading = a.shape.slice(0, -2);
  const shared = b.shape.length === 2;
  const sameBatches = shared || show(leading) === show(b.shape.slice(0, -2));
  if (a.shape.length < 2 || b.shape.length < 2 || inner !== k || !sameBatches || a.size === 0 || b.size === 0) {
    const roles = `a is ${show(a.shape)}${transposeA ? " transposed" : ""}, b is ${show(b.shape)}${
      transposeB ? " transposed" : ""
    }`;
    throw new TypeError(`Cannot multiply matrices: inner sizes and batches must match: ${roles}`);
  }
  const batches = sizeOf(leading);
  const shape: Shape = [...leading, m, n];
  // Rows of all batches are one long matrix if b is shared.
  return shared && !transposeA ? { m: m * batches, k, n, batches: 1, shape } : { m, k, n, batches, shape };
}

/** Sizes of a product, and how it is computed: in `parts` of so many `steps` of K each. */
interface Plan {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly batches: number;
  readonly parts: number;
  readonly steps: number;
  readonly tiling: Tiling;
}

/** Runs the product: `c` is the result, or [B, parts, M, N]. */
function multiply(
  [a, b, c]: readonly [Tensor, Tensor, Tensor],
  { m, n, k, batches, parts, steps, tiling }: Plan,
  { transposeA = false, transposeB = false, alpha = 1, bias, addend, activation, residual }: MatmulOptions,
): void {
  a.gpu.run(
    variant({
      alignedA: (transposeA ? m : k) % 4 === 0,
      alignedB: (transposeB ? k : n) % 4 === 0,
      alignedC: n % 4 === 0,
      dtype: b.dtype,
      transposeA,
      transposeB,
      addend: addend !== undefined,
      gated: residual !== undefined,
      inParts: parts > 1,
      activation: activation ?? "none",
      ...wayOf(tiling),
    }),
    {
      // Bindings that the variant does not read need a buffer all the same.
      buffers: [a, b, bias ?? a, residual?.to ?? addend ?? a, c, ...residual ? [residual.gate] : []].map(({ buffer }) =>
        buffer
      ),
      params: {
        m,
        n,
        k,
        a_stride: m * k,
        b_stride: b.shape.length === 2 ? 0 : n * k,
        alpha,
        has_bias: Number(bias !== undefined),
        gate_rows: c.shape.at(-2) ?? 1,
        parts,
        steps,
      },
      groups: productGroups(tiling, { rows: m, columns: n, batches: batches * parts }),
    },
  );
}

/**
 * Matrix product with fused epilogue: `a [..., M, K], b [..., K, N] -> [..., M, N]`, f32 accumulation.
 *
 * `b` may be 2-D and shared by all batches; it may be packed, if its rows are a multiple of {@linkcode rowMultiple} long.
 * @throws {TypeError} if shapes do not fit
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false, bias, addend, activation, residual } = options;
  if (activation && [a, b, bias, addend].some((x) => x && tracked(x))) {
    // The gradient of the activation needs its input.
    return scoped(a.gpu, () => ({ gelu, silu })[activation](matmul(a, b, { ...options, activation: undefined })));
  }
  const { shape, ...sizes } = measure(a, b, options);
  const { m, n, k, batches } = sizes;
  if (residual && (n % 4 !== 0 || [a, b, bias, residual.to, residual.gate].some((x) => x && tracked(x)))) {
    // The gradient of the gate needs the product.
    return scoped(
      a.gpu,
      () => gateResidual(residual.to, matmul(a, b, { ...options, residual: undefined }), residual),
    );
  }
  if (bias && show(bias.shape) !== show([n])) {
    throw new TypeError(`Cannot multiply matrices: bias must be ${show([n])}: it is ${show(bias.shape)}`);
  }
  if (addend && addend.size !== sizeOf(shape)) {
    throw new TypeError(`Cannot multiply matrices: addend must be ${show(shape)}: it is ${show(addend.shape)}`);
  }
  if (residual) checkResidual(residual, shape);
  requireF32("matmul", { a, bias, addend });
  const multiple = rowMultiple(b.dtype);
  if ((transposeB ? k : n) % multiple !== 0) {
    throw new TypeError(
      `Cannot multiply matrices: rows of ${b.dtype} weights must be a multiple of ${multiple}: b is ${show(b.shape)}`,
    );
  }
  const c = empty(a.gpu, shape);
  const tiling = tilingOf(a.gpu, { op: "matmul", rows: m, columns: n, depth: k, batches, transposeA, transposeB });
  const steps = Math.ceil(k / tiling.splits / BLOCK) * BLOCK;
  const parts = Math.ceil(k / steps);
  if (parts === 1) {
    multiply([a, b, c], { ...sizes, parts, steps, tiling }, options);
  } else {
    using sums = empty(a.gpu, [batches, parts, m, n]);
    multiply([a, b, sums], { ...sizes, parts, steps, tiling }, { transposeA, transposeB });
    addParts([sums, c], options);
  }
  const wanted = { a: tracked(a), b: tracked(b), bias: bias !== undefined && tracked(bias) };
  const gradients = (dc: Tensor) => [
    wanted.a ? gradientA(dc, { a, b, options }) : undefined,
    wanted.b ? gradientB(dc, { a, b, options }) : undefined,
    ...addend ? [reshape(dc, addend.shape)] : [],
    ...bias ? [wanted.bias ? columnSum(dc) : undefined] : [],
  ];
  const inputs = [a, b, ...[addend, bias].filter((x) => x !== undefined)];
  return record("matmul", c, { inputs, saved: [...wanted.a ? [b] : [], ...wanted.b ? [a] : []], backward: gradients });
}

/** @throws {TypeError} unless a product of `shape` [B, M, N] can be gated and added */
function checkResidual({ to, gate }: NonNullable<MatmulOptions["residual"]>, shape: Shape): void {
  if (shape.length !== 3) {
    throw new TypeError(
      `Cannot multiply matrices: with a residual the product must be [B, M, N]: it is ${show(shape)}`,
    );
  }
  requireShape("matmul", { to }, shape);
  requireShape("matmul", { gate }, [shape[0]!, shape[2]!]);
}

/** What the gradient of an input is made of. */
interface Inputs {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly options: MatmulOptions;
}

/** dA = alpha dC B^T, or its transpose. */
function gradientA(dc: Tensor, { a, b, options: { transposeA, transposeB, alpha } }: Inputs): Tensor {
  const da = matmul(dc, b, { transposeB: !transposeB, alpha });
  if (!transposeA) return da;
  // Turned after, not multiplied in the other order: b may be packed or shared, which only a right side can be.
  const [k = 0, m = 0] = a.shape.slice(-2);
  return reshape(permute(reshape(da, [-1, m, k]), [0, 2, 1]), a.shape);
}

/** dB = alpha A^T dC, or its transpose; that of a shared B is the sum over the batches. */
function gradientB(dc: Tensor, { a, b, options: { transposeA = false, transposeB = false, alpha } }: Inputs): Tensor {
  const shared = b.shape.length === 2;
  // Rows of all batches are one long matrix, unless they are columns.
  const flat = (x: Tensor) => shared && !transposeA ? reshape(x, [-1, x.shape.at(-1) ?? 1]) : x;
  const db = transposeB
    ? matmul(flat(dc), flat(a), { transposeA: true, transposeB: transposeA, alpha })
    : matmul(flat(a), flat(dc), { transposeA: !transposeA, alpha });
  return show(db.shape) === show(b.shape) ? db : reshape(columnSum(reshape(db, [-1, b.size])), b.shape);
}
