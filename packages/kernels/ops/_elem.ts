import scalar from "./_elem_scalar.wgsl" with { type: "text" };
import vec4 from "./_elem_vec4.wgsl" with { type: "text" };

/** Builds the two forms of a kernel that is written for `Elem`: on single numbers and on groups of four. */
export function byElem<K>(build: (elem: string, lanes: 1 | 4) => K): { readonly scalar: K; readonly vec4: K } {
  return { scalar: build(scalar, 1), vec4: build(vec4, 4) };
}

/** The widest form that fits: `lanes` is 4 if all of `sizes` (row lengths, offsets) are multiples of four, else 1. */
export function widest<K>(forms: { scalar: K; vec4: K }, ...sizes: number[]): { kernel: K; lanes: 1 | 4 } {
  return sizes.every((size) => size % 4 === 0) ? { kernel: forms.vec4, lanes: 4 } : { kernel: forms.scalar, lanes: 1 };
}
