import type { Row } from "../case.ts";
import type { PackedDtype } from "../packed.ts";
import { FLUX, FLUX_SINGLE, NANO, STARTER, STARTER_LARGE } from "./origins.ts";

/** `a [m, k] b [k, n] -> [m, n]`; `b` is f32 unless said, and [n, k] if transposed. */
export interface MatmulShape {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeB?: boolean;
  readonly dtype?: PackedDtype;
}

/** A product and what is done to it in the same pass: weights are [n, k]. */
export interface FusedShape extends MatmulShape {
  readonly epilogue: "bias_gelu" | "gated" | "lora";
}

const SQUARE = "square, to compare with others";

const SQUARES: readonly Row<MatmulShape>[] = [
  { name: "512", origin: SQUARE, m: 512, k: 512, n: 512 },
  { name: "1024", origin: SQUARE, m: 1024, k: 1024, n: 1024 },
  { name: "2048", origin: SQUARE, m: 2048, k: 2048, n: 2048 },
];

const LINEARS: readonly Row<MatmulShape>[] = [
  { name: "starter.img_qkv", origin: STARTER, m: 1024, k: 192, n: 576 },
  { name: "starter.img_proj", origin: STARTER, m: 1024, k: 192, n: 192 },
  { name: "starter.img_mlp.0", origin: STARTER, m: 1024, k: 192, n: 768 },
  { name: "starter.img_mlp.2", origin: STARTER, m: 1024, k: 768, n: 192 },
  { name: "starter.linear1", origin: STARTER, m: 1025, k: 192, n: 1344 },
  { name: "starter.linear2", origin: STARTER, m: 1025, k: 960, n: 192 },
  { name: "starter.img_qkv_large", origin: STARTER_LARGE, m: 4096, k: 192, n: 576 },
  { name: "nano.img_qkv", origin: NANO, m: 576, k: 192, n: 576 },
  { name: "nano.linear1", origin: `${NANO}, and one of text`, m: 577, k: 192, n: 1344 },
  { name: "nano.linear2", origin: `${NANO}, and one of text`, m: 577, k: 960, n: 192 },
  { name: "flux.img_mod", origin: `${FLUX}, one vector`, m: 1, k: 3072, n: 18432, dtype: "bf16" },
  { name: "flux.img_qkv", origin: FLUX, m: 4096, k: 3072, n: 9216, dtype: "bf16", scaled: { m: 128 } },
  { name: "flux.img_proj", origin: FLUX, m: 4096, k: 3072, n: 3072, dtype: "bf16", scaled: { m: 128 } },
  { name: "flux.img_mlp.0", origin: FLUX, m: 4096, k: 3072, n: 12288, dtype: "bf16", scaled: { m: 128 } },
  { name: "flux.img_mlp.0_f16", origin: FLUX, m: 4096, k: 3072, n: 12288, dtype: "f16", scaled: { m: 128 } },
  { name: "flux.img_mlp.0_f32", origin: FLUX, m: 4096, k: 3072, n: 12288, scaled: { m: 128, n: 6144 } },
  ...(["q8_0", "q4_0", "q4_k", "q5_k", "f8_e4m3"] as const).map((dtype) => (
    { name: `flux.img_mlp.0_${dtype}`, origin: FLUX, m: 4096, k: 3072, n: 12288, dtype, scaled: { m: 128 } }
  )),
  { name: "flux.img_mlp.2", origin: FLUX, m: 4096, k: 12288, n: 3072, dtype: "bf16", scaled: { m: 128 } },
  { name: "flux.linear1", origin: FLUX_SINGLE, m: 4608, k: 3072, n: 21504, dtype: "bf16", scaled: { m: 64 } },
  { name: "flux.linear2", origin: FLUX_SINGLE, m: 4608, k: 15360, n: 3072, dtype: "bf16", scaled: { m: 64 } },
];

/** The rank of the adapters that training makes. */
const RANK = 64;

/** Linear layers with what follows them: GELU in an MLP, the gate of a block, and an adapter. */
export const FUSED: readonly Row<FusedShape>[] = [
  { name: "starter.img_mlp.0", origin: STARTER, m: 1024, k: 192, n: 768, epilogue: "bias_gelu" },
  { name: "starter.img_mlp.2", origin: STARTER, m: 1024, k: 768, n: 192, epilogue: "gated" },
  { name: "starter.img_qkv", origin: `${STARTER}, rank ${RANK}`, m: 1024, k: RANK, n: 576, epilogue: "lora" },
  ...([
    { name: "flux.img_mlp.0", origin: FLUX, m: 4096, k: 3072, n: 12288, dtype: "bf16", epilogue: "bias_gelu" },
    { name: "flux.img_mlp.2", origin: FLUX, m: 4096, k: 12288, n: 3072, dtype: "bf16", epilogue: "gated" },
    { name: "flux.img_qkv", origin: `${FLUX}, rank ${RANK}`, m: 4096, k: RANK, n: 9216, epilogue: "lora" },
  ] as const).map((row) => ({ ...row, scaled: { m: 128 } })),
];

/** Weights of linear layers are [n, k], as checkpoints have them. */
export const MATMULS: readonly Row<MatmulShape>[] = [
  ...SQUARES,
  ...LINEARS.map((row) => ({ ...row, transposeB: true })),
];

/** Backward passes of linear layers; those of modulation are as small as their forward passes. */
export const LINEAR_BACKWARDS: readonly Row<MatmulShape>[] = [
  ...SQUARES.filter(({ m }) => m <= 1024),
  ...LINEARS.filter(({ m }) => m > 1),
];
