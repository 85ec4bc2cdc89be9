import { type AdapterSummary, candidateTilings, Gpu, type ProductShape, type Tiling, Tuning } from "@fluxsr/kernels";
import { gpu } from "./gpu.ts";

/** The adapter of the tests, taken for one that is neither a CPU nor known to have subgroups. */
const hardware = { ...gpu.adapter, software: false, subgroups: undefined };

/** The choice of one way of computing products, wherever that is possible. */
class Only extends Tuning {
  readonly #way: Partial<Tiling>;

  constructor(way: Partial<Tiling>) {
    super();
    this.#way = way;
  }

  override product(shape: ProductShape): Tiling | undefined {
    const wanted = Object.entries(this.#way);
    return candidateTilings(hardware, shape).find((tiling) =>
      wanted.every(([name, value]) => tiling[name as keyof Tiling] === value)
    );
  }
}

/**
 * A second GPU on the device of the tests, which computes as hardware does, products in the given `way`; `more`: what else
 * its adapter is to say of itself.
 */
export function hardwareGpu(way?: Partial<Tiling>, more: Partial<AdapterSummary> = {}): Gpu {
  const other = new Gpu(gpu.device, { ...hardware, ...more });
  if (way) other.tuning = new Only(way);
  return other;
}
