import { groups1d, kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape, sizes } from "./_shapes.ts";
import reduce from "./_workgroup_reduce.wgsl" with { type: "text" };
import source from "./cosine_to_mean.wgsl" with { type: "text" };

const WORKGROUP = 64;
/** Tokens that one thread adds up. */
const STRIP = 64;

const common = {
  sources: [reduce, source],
  params: { batches: "u32", tokens: "u32", width: "u32", strips: "u32", eps: "f32" },
} as const;

function strips(through: boolean) {
  return kernel({
    ...common,
    name: `cosine_to_mean.${through ? "through" : "strips"}`,
    entry: "strips",
    binds: { x: "read", m: "read", token_weights: "read", partials: "write" },
    constants: { STRIP, THROUGH: Number(through) },
  });
}

export const kernels = {
  strips: strips(false),
  through: strips(true),
  merge: kernel({ ...common, name: "cosine_to_mean.merge", entry: "merge", binds: { parts: "read", merged: "write" } }),
  forward: kernel({
    ...common,
    name: "cosine_to_mean.forward",
    entry: "forward",
    binds: { x: "read", m: "read", cosine: "write" },
  }),
  weights: kernel({
    ...common,
    name: "cosine_to_mean.weights",
    entry: "weights",
    binds: { x: "read", m: "read", dcosine: "read", weights_out: "write" },
  }),
  backward: kernel({
    ...common,
    name: "cosine_to_mean.backward",
    entry: "backward",
    binds: { x: "read", m: "read", token_weights: "read", through: "read", dx: "write" },
  }),
};

/**
 * The cosine of every token with the mean token of its sample: `x [B, L, D] -> [B, L]`, near 1 where tokens are alike.
 *
 * @param options.eps added to the product of lengths that divides
 * @throws {TypeError} if `x` is not [B, L, D] in f32
 */
export function cosineToMean(x: Tensor, { eps = 1e-8 }: { eps?: number } = {}): Tensor {
  const [batches, tokens, width] = sizes("cosine_to_mean", x, ["B", "L", "D"]);
  const params = { batches, tokens, width, strips: Math.ceil(tokens / STRIP), eps };
  const m = meanOverTokens(kernels.strips, [x, x, x], params);
  const y = empty(x.gpu, [batches, tokens]);
  run(kernels.forward, { tensors: [x, m, y], params, groups: groups1d(y.size, 1) });
  // As an input, the mean lives as long as the tape needs it, and no longer than this call if there is none.
  record("cosine_to_mean", y, {
    inputs: [x, m],
    saved: [x, m],
    backward: (dy) => {
      requireShape("cosine_to_mean", { dy }, [batches, tokens]);
      const weights = empty(x.gpu, [batches, tokens, 3]);
      run(kernels.weights, { tensors: [x, m, dy, weights], params, groups: groups1d(y.size, 1) });
      const through = meanOverTokens(kernels.through, [x, m, weights], params);
      const dx = empty(x.gpu, x.shape);
      const groups = groups1d(x.size, WORKGROUP);
      run(kernels.backward, { tensors: [x, m, weights, through, dx], params, groups });
      return [dx];
    },
  });
  m.dispose();
  return y;
}

type Params = Readonly<Record<keyof typeof common.params, number>>;

/** The mean over tokens of what `kernel` makes of x, m and the tokens' weights: [B, D]. */
function meanOverTokens(
  kernel: typeof kernels.strips,
  [x, m, weights]: readonly [Tensor, Tensor, Tensor],
  params: Params,
): Tensor {
  const { batches, strips, width } = params;
  return scoped(x.gpu, () => {
    const partials = empty(x.gpu, [batches, strips, width]);
    run(kernel, { tensors: [x, m, weights, partials], params, groups: groups1d(partials.size, WORKGROUP) });
    const merged = empty(x.gpu, [batches, width]);
    run(kernels.merge, { tensors: [partials, merged], params, groups: groups1d(merged.size, WORKGROUP) });
    return merged;
  });
}

function run(
  kernel: (typeof kernels)[keyof typeof kernels],
  { tensors, params, groups }: {
    tensors: readonly [Tensor, ...Tensor[]];
    params: Params;
    groups: ReturnType<typeof groups1d>;
  },
): void {
  const [{ gpu }] = tensors;
  gpu.run(kernel, { buffers: tensors.map(({ buffer }) => buffer), params, groups });
}
