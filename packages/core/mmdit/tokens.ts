import { permute, reshape, type Tensor } from "@fluxsr/kernels";

/** Packs 2x2 latent pixels into a token: `z [B, h, w, C] -> [B, h/2 * w/2, C * 4]`, channels ordered (c, row, column). */
export function pack(z: Tensor): Tensor {
  const [batch = 0, height = 0, width = 0, channels = 0] = z.shape;
  if (height % 2 !== 0 || width % 2 !== 0) {
    throw new RangeError(`Cannot pack latents: height and width must be even: given ${height} x ${width}`);
  }
  const cells = reshape(z, [batch * height / 2, 2, width / 2, 2, channels]);
  return reshape(permute(cells, [0, 2, 4, 1, 3]), [batch, height / 2 * width / 2, channels * 4]);
}

/** The inverse of {@linkcode pack}, for latents of `height` x `width`. */
export function unpack(tokens: Tensor, { height, width }: { height: number; width: number }): Tensor {
  const [batch = 0, , channels = 0] = tokens.shape;
  const cells = reshape(tokens, [batch * height / 2, width / 2, channels / 4, 2, 2]);
  return reshape(permute(cells, [0, 3, 1, 4, 2]), [batch, height, width, channels / 4]);
}
