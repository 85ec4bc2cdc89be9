import type { pictureSize } from "@fluxsr/core";
import type { Size } from "@fluxsr/kernels";
import type { Input } from "./_inputs.ts";

/** Width and height of every input that is a picture; why another is none is passed to `onError`. */
export async function sizesOf(
  inputs: readonly Input[],
  { sizeOf, onError = () => {} }: { sizeOf: typeof pictureSize; onError?: (error: unknown) => void },
): Promise<Size[]> {
  const sizes: Size[] = [];
  for (const input of inputs) {
    try {
      if (input.error) throw input.error;
      sizes.push(await sizeOf(input.path));
    } catch (error) {
      onError(error);
    }
  }
  return sizes;
}
