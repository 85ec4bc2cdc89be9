/** Sizes of a convolution and how its kernel lies on the picture; the result is the picture [out_height, out_width, n]. */
export const GEOMETRY = {
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
} as const;

/** Values of {@linkcode GEOMETRY}. */
export type Geometry = Readonly<Record<keyof typeof GEOMETRY, number>>;
