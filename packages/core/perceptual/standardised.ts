import { matmul, type Tensor, tensor } from "@fluxsr/kernels";

/**
 * Mean and standard deviation of ImageNet's RGB, for pictures in [-1, 1] (LPIPS v0.1, `ScalingLayer`): for pictures in
 * [0, 1] they are 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225, those of torchvision.
 */
const SHIFT = [-0.030, -0.088, -0.188];
const SCALE = [0.458, 0.448, 0.450];

/** A picture as VGG16 takes it, `[..., 3]` in [-1, 1]: `(image - shift) / scale` as a product with a diagonal matrix. */
export function standardised(image: Tensor): Tensor {
  const { gpu } = image;
  const upload = (values: readonly number[], shape: readonly number[]) => tensor(gpu, Float32Array.from(values), shape);
  const diagonal = SCALE.flatMap((scale, row) => SCALE.map((_, column) => row === column ? 1 / scale : 0));
  const bias = upload(SHIFT.map((shift, c) => -shift / SCALE[c]!), [3]);
  return matmul(image, upload(diagonal, [3, 3]), { bias });
}
