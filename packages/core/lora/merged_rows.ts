import { type Gpu, matmul, read, scoped, type Tensor, tensor } from "@fluxsr/kernels";
import { concatBytes } from "../files/concat_bytes.ts";
import { checkFinite } from "../weights/check.ts";
import { fromF32, toF32, type WeightDtype } from "../weights/dtypes/dtype.ts";
import { rowsOf, type RowTensor, sourceRows } from "../weights/row_tensor.ts";
import type { WeightSource } from "../weights/weight_source.ts";
import type { LoraAdapter } from "./adapter.ts";

/** Elements of the rows that are on the GPU together: 16 MiB. */
const CHUNK = 2 ** 22;

/**
 * The tensors of `source`, a transformer under BFL names, as `dtype` or as they are stored, with the LoRA in them:
 * W + scale B A for the weight of every module that has an adapter, summed in f32 on the GPU, then rounded once.
 * Rounding to f16 or bf16 loses what of the change is smaller than half a unit in the last place of the weight.
 *
 * @throws {RangeError} if the network has no linear layer of an adapter's name
 */
export function mergedRows(
  gpu: Gpu,
  source: WeightSource,
  { adapters, dtype }: { adapters: ReadonlyMap<string, LoraAdapter>; dtype?: WeightDtype },
): Map<string, RowTensor> {
  const result = sourceRows(source, dtype);
  const base = sourceRows(source, "F32");
  for (const [module, adapter] of adapters) {
    const name = `${module}.weight`;
    const weight = base.get(name), stored = result.get(name);
    if (!weight || !stored) throw new RangeError(`Cannot merge a LoRA: the network has no linear layer "${module}"`);
    const wanted = stored.dtype as WeightDtype;
    const { inner } = rowsOf(weight);
    const step = Math.max(1, Math.floor(CHUNK / inner));
    result.set(name, {
      ...stored,
      async *rows(begin, end) {
        const { a, b, ...sizes } = adapter; // made once for all chunks
        for (let row = begin; row < end; row += step) {
          const next = Math.min(end, row + step);
          const values = await gather(weight.rows(row, next));
          const merged = await add(gpu, toF32(values, "F32"), { adapter: { a, b, ...sizes }, row, next });
          const bytes = fromF32(merged, wanted);
          checkFinite(name, { dtype: wanted, bytes, first: row * inner }, { path: source.path });
          yield bytes;
        }
      },
    });
  }
  return result;
}

/** Rows `row` to `next` of W + scale B A; `weight` are those of W. */
async function add(
  gpu: Gpu,
  weight: Float32Array<ArrayBuffer>,
  { adapter, row, next }: { adapter: LoraAdapter; row: number; next: number },
): Promise<Float32Array> {
  const { a, b, rank, scale } = adapter;
  const sum: Tensor = scoped(gpu, () => {
    const rows = tensor(gpu, b.slice(row * rank, next * rank), [next - row, rank]);
    const addend = tensor(gpu, weight, [next - row, adapter.in]);
    return matmul(rows, tensor(gpu, a, [rank, adapter.in]), { alpha: scale, addend });
  });
  const [values] = await read(sum);
  sum.dispose();
  return values!;
}

async function gather(chunks: ReturnType<RowTensor["rows"]>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return concatBytes(parts);
}
