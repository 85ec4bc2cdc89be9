import { fileURLToPath } from "node:url";
import { Matrix } from "ml-matrix";
import { openSafetensors } from "../weights/safetensors/safetensors.ts";

/** A multivariate normal distribution: mean [1, features], covariance [features, features]. */
export interface Distribution {
  readonly mean: Matrix;
  readonly covariance: Matrix;
}

/**
 * Mean [36] and covariance [36, 36] in F64 of the features of the 125 undistorted pictures that NIQE was published with,
 * as in `basicsr/metrics/niqe_pris_params.npz` of BasicSR 1.4.2 (Apache-2.0). The file says so itself, in its metadata.
 */
const PATH = fileURLToPath(new URL("niqe_pristine.safetensors", import.meta.url));

/** The distribution of the features of undistorted pictures. */
export async function readPristine(): Promise<Distribution> {
  using file = await openSafetensors(PATH);
  const numbers = async (name: string) => [...new Float64Array((await file.read(name)).buffer)];
  const mean = Matrix.rowVector(await numbers("mean"));
  const covariance = Matrix.from1DArray(mean.columns, mean.columns, await numbers("covariance"));
  return { mean, covariance };
}
