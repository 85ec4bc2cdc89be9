import type { GgmlDtype } from "../dtypes/dequantize.ts";
import type { WeightDtype } from "../dtypes/dtype.ts";

/** Dtypes of tensors in GGUF files that are read and written. */
export type GgufDtype = WeightDtype | GgmlDtype;

/** Tensors begin at multiples of this unless the metadata says another. */
export const ALIGNMENT = 32;

/** Numbers of the types of metadata that are read or written. */
export const UINT32 = 4, STRING = 8, ARRAY = 9;

/** ggml's numbers, enum ggml_type of https://github.com/ggml-org/ggml/blob/master/include/ggml.h */
export const GGML_TYPES: Readonly<Record<GgufDtype, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q8_0: 8,
  Q4_K: 12,
  Q5_K: 13,
  BF16: 30,
};

/** The names of those that are not read, for messages. */
export const OTHER_TYPES: ReadonlyMap<number, string> = new Map(
  ([
    [3, "Q4_1 . . Q5_0 Q5_1"],
    [9, "Q8_1 Q2_K Q3_K"],
    [14, "Q6_K Q8_K IQ2_XXS IQ2_XS IQ3_XXS IQ1_S IQ4_NL IQ3_S IQ2_S IQ4_XS I8 I16 I32 I64 F64 IQ1_M"],
    [34, "TQ1_0 TQ2_0 . . . MXFP4"],
  ] as const).flatMap(([first, names]) => names.split(" ").map((name, i) => [first + i, name] as const)),
);

/** The dtype of ggml's number, if it is one that is read. */
export function ggufDtype(type: number): GgufDtype | undefined {
  return (Object.keys(GGML_TYPES) as GgufDtype[]).find((dtype) => GGML_TYPES[dtype] === type);
}
