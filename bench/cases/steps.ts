import { exceeds, quantize, type Tensor } from "@fluxsr/kernels";
import * as noise from "../../tests/reference/noise.ts";
import type { Case, Row } from "../case.ts";
import { plainCase } from "../plain.ts";
import { picks } from "../random.ts";
import type { PictureShape } from "../shapes/pictures.ts";

const LIMIT = 0.25;

/** Of degradations: to 8 bits, and where sharpening is to apply. */
export function stepCases({ name, origin, side, channels }: Row<PictureShape>): Case[] {
  const size = side ** 2 * channels;
  const steps = [
    { op: "quantize", run: (x: Tensor) => quantize(x), reference: noise.quantize },
    {
      op: "exceeds",
      run: (x: Tensor) => exceeds(x, LIMIT),
      reference: (value: number) => Number(Math.abs(value) > LIMIT),
    },
  ];
  return steps.map(({ op, run, reference }) =>
    plainCase({
      name: `${op}/${name}`,
      shape: `${side}^2 x ${channels}`,
      origin,
      elements: 2 * size,
      inputs: [[1, side, side, channels]],
      run: (x) => run(x!),
      samples: (x) => picks(size, 64).map((at) => ({ at, expected: reference(x![at]!) })),
    })
  );
}
