import { gateResidual, gelu, layerNorm, rmsNorm, rope, tensor } from "@fluxsr/kernels";
import { geluReference } from "../../tests/reference/matmul.ts";
import * as norm from "../../tests/reference/norm.ts";
import { rope as ropeReference } from "../../tests/reference/rope.ts";
import type { Case, Row, Sample } from "../case.ts";
import { picks, random } from "../random.ts";
import { GELUS, type TokensShape } from "../shapes.ts";

/** Samples of some rows of `width` values: `reference` is given a row and says what becomes of it. */
function* rowSamples(
  { rows, width }: { rows: number; width: number },
  reference: (row: number) => readonly number[],
): Generator<Sample> {
  for (const row of picks(rows, 16)) {
    for (const [column, expected] of reference(row).entries()) yield { at: row * width + column, expected };
  }
}

/** The part of `x` that is row `row`. */
function rowOf(x: Float32Array, row: number, width: number): Float32Array {
  return x.subarray(row * width, (row + 1) * width);
}

export function layerNormCase({ name, origin, tokens, width }: Row<TokensShape>): Case {
  return {
    name: `layer_norm/${name}`,
    shape: `${tokens} x ${width}, modulated`,
    origin,
    bytes: 4 * (2 * tokens + 2) * width,
    open(gpu) {
      const data = { x: random(tokens * width, 1), shift: random(width, 2), scale: random(width, 3) };
      const x = tensor(gpu, data.x, [1, tokens, width]);
      const [shift, scale] = [tensor(gpu, data.shift, [1, width]), tensor(gpu, data.scale, [1, width])];
      const reference = (row: number) =>
        norm.layerNorm(rowOf(data.x, row, width), { shape: [1, 1, width], shift: data.shift, scale: data.scale });
      return {
        inputs: [x, shift, scale],
        run: () => layerNorm(x, { shift, scale }),
        samples: () => rowSamples({ rows: tokens, width }, reference),
      };
    },
  };
}

export function rmsNormCase({ name, origin, tokens, width, heads }: Row<TokensShape>): Case {
  const size = width / heads;
  return {
    name: `rms_norm/${name}`,
    shape: `${tokens} x ${heads} x ${size}`,
    origin,
    bytes: 4 * (2 * tokens * width + size),
    open(gpu) {
      const data = { x: random(tokens * width, 1), scale: random(size, 2) };
      const x = tensor(gpu, data.x, [1, tokens, heads, size]);
      const scale = tensor(gpu, data.scale, [size]);
      const reference = (row: number) => norm.rmsNorm(rowOf(data.x, row, size), { scale: data.scale });
      return {
        inputs: [x, scale],
        run: () => rmsNorm(x, { scale }),
        samples: () => rowSamples({ rows: tokens * heads, width: size }, reference),
      };
    },
  };
}

export function ropeCase({ name, origin, tokens, width, heads }: Row<TokensShape>): Case {
  const size = width / heads;
  return {
    name: `rope/${name}`,
    shape: `${tokens} x ${heads} x ${size}`,
    origin,
    bytes: 4 * (2 * tokens * width + tokens * size),
    open(gpu) {
      const half = size / 2;
      const data = random(tokens * width, 1);
      const angles = random(tokens * half, 2);
      const tables = { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
      const x = tensor(gpu, data, [1, tokens, heads, size]);
      const cos = tensor(gpu, tables.cos, [1, tokens, half]);
      const sin = tensor(gpu, tables.sin, [1, tokens, half]);
      const reference = (row: number) =>
        ropeReference(rowOf(data, row, width), {
          shape: [1, 1, heads, size],
          cos: rowOf(tables.cos, row, half),
          sin: rowOf(tables.sin, row, half),
        });
      return {
        inputs: [x, cos, sin],
        run: () => rope(x, { cos, sin }),
        samples: () => rowSamples({ rows: tokens, width }, reference),
      };
    },
  };
}

export function gateCase({ name, origin, tokens, width }: Row<TokensShape>): Case {
  return {
    name: `gate_residual/${name}`,
    shape: `${tokens} x ${width}`,
    origin,
    bytes: 4 * (3 * tokens + 1) * width,
    open(gpu) {
      const data = { x: random(tokens * width, 1), y: random(tokens * width, 2), gate: random(width, 3) };
      const x = tensor(gpu, data.x, [1, tokens, width]);
      const y = tensor(gpu, data.y, [1, tokens, width]);
      const gate = tensor(gpu, data.gate, [1, width]);
      const reference = (row: number) =>
        Array.from(data.gate, (factor, i) => data.x[row * width + i]! + factor * data.y[row * width + i]!);
      return {
        inputs: [x, y, gate],
        run: () => gateResidual(x, y, { gate }),
        samples: () => rowSamples({ rows: tokens, width }, reference),
      };
    },
  };
}

export function geluCase({ name, origin, tokens, hidden }: (typeof GELUS)[number]): Case {
  return {
    name: `gelu/${name}`,
    shape: `${tokens} x ${hidden}`,
    origin,
    bytes: 4 * 2 * tokens * hidden,
    open(gpu) {
      const data = random(tokens * hidden, 1);
      const x = tensor(gpu, data, [tokens, hidden]);
      return {
        inputs: [x],
        run: () => gelu(x),
        samples: () =>
          rowSamples({ rows: tokens, width: hidden }, (row) => Array.from(rowOf(data, row, hidden), geluReference)),
      };
    },
  };
}
