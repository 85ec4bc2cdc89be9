import { checkFinite } from "./check.ts";
import { layoutOf } from "./dtypes/dequantize.ts";
import { toF32 } from "./dtypes/dtype.ts";
import { e4m3Scale, type QuantisedDtype, quantize } from "./dtypes/quantize.ts";
import { rowsOf, type RowTensor } from "./row_tensor.ts";

/**
 * The weights that are quantised: those of the linear layers in blocks, 99.4 % of FLUX.1-dev's. As in the files that the
 * community ships, layers at either end and vectors are not, on which much depends and which take little.
 */
const IN_BLOCKS = /^(double|single)_blocks\.\d+\..*\.weight$/;

/** Whether tensor `name` of a transformer is one of the weights that are quantised, if its rows allow it. */
export function isInBlocks(name: string): boolean {
  return IN_BLOCKS.test(name);
}

/**
 * The tensors of a transformer under BFL names, with the weights of its blocks as `dtype`. Weights whose rows are not
 * whole blocks of that, and all outside the transformer's blocks, are as in `stored`, but vectors beside ggml's types
 * are F32, as its programs want them. An F8_E4M3 tensor has one scale, for which its values are made once more.
 *
 * Reading throws an {@linkcode InputError} if a value is too large for `dtype`.
 *
 * @param exact the same tensors in F32, whose values are finite
 */
export function quantisedRows(
  { stored, exact }: { stored: ReadonlyMap<string, RowTensor>; exact: ReadonlyMap<string, RowTensor> },
  dtype: QuantisedDtype,
): Map<string, RowTensor> {
  return new Map([...stored].map(([name, tensor]) => {
    const values = exact.get(name)!;
    if (isInBlocks(name) && isWhole(tensor, dtype)) return [name, quantised(name, values, dtype)];
    return [name, dtype !== "F8_E4M3" && tensor.shape.length < 2 ? values : tensor];
  }));
}

function isWhole({ shape }: RowTensor, dtype: QuantisedDtype): boolean {
  return (shape.at(-1) ?? 1) % layoutOf(dtype).elements === 0;
}

function quantised(name: string, values: RowTensor, dtype: QuantisedDtype): RowTensor {
  let scale: Promise<number> | undefined;
  const scaleOnce = () => scale ??= largest(values).then(e4m3Scale);
  return {
    dtype,
    shape: values.shape,
    ...dtype === "F8_E4M3" && { scale: scaleOnce },
    async *rows(begin, end) {
      const scale = dtype === "F8_E4M3" ? await scaleOnce() : 1;
      let first = begin * rowsOf(values).inner;
      for await (const chunk of values.rows(begin, end)) {
        const numbers = toF32(chunk, "F32");
        const bytes = quantize(numbers, { dtype, scale });
        checkFinite(name, { dtype, bytes, first }); // their f16 scales may be infinite
        first += numbers.length;
        yield bytes;
      }
    },
  };
}

/** The largest magnitude. */
async function largest(values: RowTensor): Promise<number> {
  let result = 0;
  for await (const chunk of values.rows(0, rowsOf(values).rows)) {
    for (const value of toF32(chunk, "F32")) result = Math.max(result, Math.abs(value));
  }
  return result;
}
