import type { Dtype } from "../tensor/dtype.ts";
import unpacked from "./_read_b.wgsl" with { type: "text" };
import bf16 from "./_read_b_bf16.wgsl" with { type: "text" };
import blocks from "./_read_b_blocks.wgsl" with { type: "text" };
import f16 from "./_read_b_f16.wgsl" with { type: "text" };
import f8 from "./_read_b_f8_e4m3.wgsl" with { type: "text" };
import kScales from "./_read_b_k_scales.wgsl" with { type: "text" };
import q40 from "./_read_b_q4_0.wgsl" with { type: "text" };
import q4k from "./_read_b_q4_k.wgsl" with { type: "text" };
import q5k from "./_read_b_q5_k.wgsl" with { type: "text" };
import q80 from "./_read_b_q8_0.wgsl" with { type: "text" };
import scalar from "./_read_b_scalar.wgsl" with { type: "text" };
import vec4 from "./_read_b_vec4.wgsl" with { type: "text" };

/** The chunks that read B of `dtype`, `aligned`: its rows are a multiple of four long. */
export function readsOfB(dtype: Dtype, { aligned }: { aligned: boolean }): readonly string[] {
  const reads: Readonly<Record<Dtype, readonly string[]>> = {
    f32: [aligned ? vec4 : scalar],
    f16: [f16],
    bf16: [bf16],
    f8_e4m3: [f8],
    q8_0: [blocks, q80],
    q4_0: [blocks, q40],
    q4_k: [blocks, kScales, q4k],
    q5_k: [blocks, kScales, q5k],
  };
  return [...reads[dtype], unpacked];
}
