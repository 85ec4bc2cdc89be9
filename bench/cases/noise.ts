import { normalNoise, poissonLevels, poissonNoise, tensor } from "@fluxsr/kernels";
import * as noise from "../../tests/reference/noise.ts";
import type { Case, Row } from "../case.ts";
import { picks, random } from "../random.ts";
import type { PictureShape } from "../shapes/pictures.ts";
import type { TokensShape } from "../shapes/tokens.ts";

const SEED = 7;

export function noiseCase({ name, origin, tokens, width }: Row<TokensShape>): Case {
  return {
    name: `normal_noise/${name}`,
    shape: `${tokens} x ${width}`,
    origin,
    bytes: 4 * tokens * width,
    open: (gpu) => ({
      inputs: [],
      run: () => normalNoise(gpu, [tokens, width], { seed: SEED }),
      samples: () => picks(tokens * width, 64).map((at) => ({ at, expected: noise.normal(at, SEED) })),
    }),
  };
}

/** The noise of counting photons, and what it begins with: how many levels the picture has. */
export function poissonCases({ name, origin, side, channels }: Row<PictureShape>): Case[] {
  const size = side ** 2 * channels;
  const common = { origin, shape: `${side}^2 x ${channels}` };
  const picture = () => random(size, 1).map((value) => Math.abs(value));
  return [
    {
      ...common,
      name: `poisson_levels/${name}`,
      bytes: 4 * size,
      open(gpu) {
        const values = picture();
        const x = tensor(gpu, values, [1, side, side, channels]);
        return {
          inputs: [x],
          run: () => poissonLevels(x),
          samples: () => [{ at: 0, expected: noise.poissonLevels(values) }],
        };
      },
    },
    {
      ...common,
      name: `poisson_noise/${name}`,
      bytes: 4 * 3 * size, // read twice: no noise before all levels were seen
      open(gpu) {
        const values = picture();
        const x = tensor(gpu, values, [1, side, side, channels]);
        return {
          inputs: [x],
          run: () => poissonNoise(x, { seed: SEED }),
          *samples() {
            const levels = noise.poissonLevels(values);
            for (const at of picks(size, 64)) {
              yield { at, expected: noise.poisson(values[at]!, at, { levels, seed: SEED }) };
            }
          },
        };
      },
    },
  ];
}
