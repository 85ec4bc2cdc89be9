/**
 * The GPU floor: runtime, tensors, tape and WGSL ops.
 *
 * ```ts
 * import { matmul, openGpu, read, tensor } from "@fluxsr/kernels";
 *
 * using gpu = await openGpu();
 * const a = tensor(gpu, new Float32Array([1, 2, 3, 4]), [2, 2]);
 * const [product] = await read(matmul(a, a));
 * ```
 *
 * Shape legend: B batch, H heads, L tokens, D width or head size, R LoRA rank, M/N/K matrix sizes;
 * pictures are `[B, height, width, C]`, channels last.
 *
 * @module
 */
export {
  BufferLimitError,
  DeviceLostError,
  GpuError,
  OutOfMemoryError,
  UnsupportedFeatureError,
} from "./gpu/errors.ts";
export { Gpu } from "./gpu/gpu.ts";
export type { AdapterSummary, MatrixConfig } from "./gpu/adapter.ts";
export type { KernelFeature } from "./gpu/features.ts";
export { openDawn } from "./gpu/dawn.ts";
export { openGpu, type OpenOptions, type Provider, PROVIDERS } from "./gpu/open.ts";
export { DryGpu } from "./gpu/dry_gpu.ts";
export { candidateTilings } from "./tuning/rules.ts";
export { classOf, type ProductShape, type Tiling, Tuning, type TuningJson } from "./tuning/tuning.ts";
export type { MemoryUse } from "./gpu/buffer_pool.ts";
export type { KernelTime } from "./gpu/profiler.ts";
export { type Groups, groups1d, type Kernel, kernel } from "./gpu/kernel.ts";
export { byteLength, type Dtype, rowMultiple } from "./tensor/dtype.ts";
export { abandon, scoped, scopedAsync } from "./tensor/scope.ts";
export { checkpoint } from "./tensor/checkpoint.ts";
export { gradients, gradientSteps } from "./tensor/gradients.ts";
export { record, recordAll, Tape } from "./tensor/tape.ts";
export { empty, emptyTogether, read, type Shape, show, sizeOf, Tensor, tensor } from "./tensor/tensor.ts";
export { absolute, add, affine, clamp, combine, exp, full, multiply, scale, subtract } from "./ops/elementwise.ts";
export { reshape } from "./ops/reshape.ts";
export { attention } from "./ops/attention.ts";
export { conv2d, type Conv2dOptions, type Padding } from "./ops/conv2d.ts";
export { type Activation, matmul, type MatmulOptions } from "./ops/matmul.ts";
export { gelu, relu, silu } from "./ops/activation.ts";
export { adamw, type AdamWRates, type AdamWState } from "./ops/adamw.ts";
export { atrousBlur } from "./ops/blur.ts";
export { columnSum } from "./ops/column_sum.ts";
export { concat, split } from "./ops/concat.ts";
export { cosineToMean } from "./ops/cosine_to_mean.ts";
export { emaUpdate } from "./ops/ema.ts";
export { featureDistance } from "./ops/feature_distance.ts";
export { filter2d } from "./ops/filter2d.ts";
export { gateResidual } from "./ops/gate.ts";
export { globalNorm, gradientControl } from "./ops/global_norm.ts";
export { groupNorm, groupNormApply, type GroupNormOptions } from "./ops/group_norm.ts";
export { interpolate, type InterpolateOptions, type InterpolationMode } from "./ops/interpolate.ts";
export { l2Pool } from "./ops/l2_pool.ts";
export { layerNorm, type LayerNormOptions } from "./ops/layer_norm.ts";
export { maxPool } from "./ops/max_pool.ts";
export { groupNormStats, meanStd } from "./ops/moments.ts";
export { normalNoise } from "./ops/noise.ts";
export { permute } from "./ops/permute.ts";
export { poissonLevels, poissonNoise } from "./ops/poisson.ts";
export { maxAbs, mean, sum } from "./ops/reduce.ts";
export { bicubicResize, bicubicSource, type Rectangle, type ResizeOptions, type Size } from "./ops/resize.ts";
export { rmsNorm } from "./ops/rms_norm.ts";
export { rmsNormRope } from "./ops/rms_norm_rope.ts";
export { rope, type RopeTables } from "./ops/rope.ts";
export { type ScoreAddend, softmax } from "./ops/softmax.ts";
export { exceeds, quantize } from "./ops/steps.ts";
export { swap } from "./ops/swap.ts";
export { totalVariation } from "./ops/total_variation.ts";
export { upsampleNearest } from "./ops/upsample.ts";
