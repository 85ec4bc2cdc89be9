import { pseudoRandomVgg16 } from "@fluxsr/core";

/** Channels of the blocks of a network that plain loops can run; no two are alike, so that none can be confused. */
export const WIDTHS = [4, 3, 5, 2, 6];

/** Shapes of its weights by their names in torchvision and `lin0` to `lin4`. */
export const SHAPES: ReadonlyMap<string, readonly number[]> = new Map([
  ...[[0, 2], [5, 7], [10, 12, 14], [17, 19, 21], [24, 26, 28]].flatMap((layers, block) =>
    layers.flatMap((layer, i): [string, number[]][] => {
      const [inputs, outputs] = [i > 0 ? WIDTHS[block]! : WIDTHS[block - 1] ?? 3, WIDTHS[block]!];
      return [[`features.${layer}.weight`, [outputs, inputs, 3, 3]], [`features.${layer}.bias`, [outputs]]];
    })
  ),
  ...WIDTHS.map((width, k): [string, number[]] => [`lin${k}`, [width]]),
]);

/** Its pseudo-random weights. */
export async function narrowWeights() {
  const source = pseudoRandomVgg16(SHAPES);
  const entries = [...SHAPES].map(async ([name, shape]) =>
    [name, { shape, values: await source.readF32(name) }] as const
  );
  return new Map(await Promise.all(entries));
}
