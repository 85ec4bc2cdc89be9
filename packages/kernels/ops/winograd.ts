import { groups1d, type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { unrecorded } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import type { Geometry } from "./_conv_geometry.ts";
import scalar from "./_elem_scalar.wgsl" with { type: "text" };
import vec4 from "./_elem_vec4.wgsl" with { type: "text" };
import { matmul } from "./matmul.ts";
import source from "./winograd.wgsl" with { type: "text" };

const WORKGROUP = 64;

/** Results along a side of a tile, and the numbers that it has between. */
const TILE = 4;
const NUMBERS = (TILE + 2) ** 2;

/** Bytes of the numbers of all tiles that are in the works at a time: large caches hold so much. */
const BAND = { software: 8 << 20, hardware: 64 << 20 } as const;

const PARAMS = {
  count: "u32",
  channels: "u32",
  height: "u32",
  width: "u32",
  tile_lines: "u32",
  tile_columns: "u32",
  first_tile: "u32",
  tiles: "u32",
  pad_top: "u32",
  pad_left: "u32",
  has_bias: "u32",
} as const;

interface Variant {
  readonly aligned: boolean;
}

const shared = ({ aligned }: Variant) => ({ sources: [aligned ? vec4 : scalar, source], params: PARAMS });

const weightsOf = variants(({ turned, ...chosen }: Variant & { readonly turned: boolean }) =>
  kernel({
    ...shared(chosen),
    name: "winograd.weights",
    entry: "weights",
    binds: { weight: "read", u: "write" },
    constants: { TURNED: Number(turned) },
  })
);

const pixelsOf = variants((chosen: Variant) =>
  kernel({ ...shared(chosen), name: "winograd.pixels", entry: "pixels", binds: { x: "read", v: "write" } })
);

const resultsOf = variants(({ addend, ...chosen }: Variant & { readonly addend: boolean }) =>
  kernel({
    ...shared(chosen),
    name: "winograd.results",
    entry: "results",
    binds: { m: "read", bias: "read", addend: "read", y: "write" },
    constants: { HAS_ADDEND: Number(addend) },
  })
);

/** All forms, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = Object.fromEntries(
  [true, false].flatMap((aligned) => {
    const form = aligned ? "vec4" : "scalar";
    return [
      [`weights_${form}`, weightsOf({ aligned, turned: false })],
      [`pixels_${form}`, pixelsOf({ aligned })],
      [`results_${form}`, resultsOf({ aligned, addend: true })],
    ];
  }),
);

/** Options of {@linkcode winograd}. */
interface WinogradOptions {
  /** Of the result, which must be that of a 3 x 3 kernel with stride 1. */
  readonly geometry: Geometry;
  /** Whether x is the gradient of the result, and the result that of x. */
  readonly adjoint: boolean;
  readonly bias?: Tensor | undefined;
  readonly addend?: Tensor | undefined;
}

/**
 * Writes to `y [B, out_height, out_width, n]` what 3 x 3 kernels `weight [3, 3, C_in, C_out]` make of `x [B, height, width,
 * c_in]`, or their adjoint: with a quarter of the multiplications of a sum over taps, tiles of 4 x 4 in bands.
 */
export function winograd(
  [x, weight, y]: readonly [Tensor, Tensor, Tensor],
  { geometry, adjoint, bias, addend }: WinogradOptions,
): void {
  const { gpu } = x;
  const { n, c_in, height, width, out_height, out_width, pad_top, pad_left } = geometry;
  const tile_lines = Math.ceil(out_height / TILE), tile_columns = Math.ceil(out_width / TILE);
  const total = (y.shape[0] ?? 0) * tile_lines * tile_columns;
  const bytes = BAND[gpu.adapter.software ? "software" : "hardware"];
  const band = Math.ceil(bytes / (NUMBERS * Math.max(n, c_in) * Float32Array.BYTES_PER_ELEMENT));
  // Turned kernels begin where the others ended.
  const padding = adjoint ? { pad_top: 2 - pad_top, pad_left: 2 - pad_left } : { pad_top, pad_left };
  const common = { tile_lines, tile_columns, ...padding, has_bias: Number(bias !== undefined) };
  using u = transformedWeights(weight, { turned: adjoint });
  for (let first_tile = 0; first_tile < total; first_tile += band) {
    const tiles = Math.min(band, total - first_tile);
    using v = empty(gpu, [NUMBERS, tiles, c_in]);
    const alignedX = c_in % 4 === 0, channels = alignedX ? c_in / 4 : c_in;
    gpu.run(pixelsOf({ aligned: alignedX }), {
      buffers: [x.buffer, v.buffer],
      params: { ...common, count: tiles * channels, channels, height, width, first_tile, tiles },
      groups: groups1d(tiles * channels, WORKGROUP),
    });
    using m = unrecorded(gpu, () => matmul(v, u, { transposeB: adjoint }));
    const alignedY = n % 4 === 0, columns = alignedY ? n / 4 : n;
    gpu.run(resultsOf({ aligned: alignedY, addend: addend !== undefined }), {
      // Bindings that the variant does not read need a buffer all the same.
      buffers: [m, bias ?? m, addend ?? m, y].map(({ buffer }) => buffer),
      params: {
        ...common,
        count: tiles * columns,
        channels: columns,
        height: out_height,
        width: out_width,
        first_tile,
        tiles,
      },
      groups: groups1d(tiles * columns, WORKGROUP),
    });
  }
}

/** `weight [3, 3, C_in, C_out] -> [36, C_in, C_out]` */
function transformedWeights(weight: Tensor, { turned }: { turned: boolean }): Tensor {
  const [inner = 0, outer = 0] = weight.shape.slice(2);
  const u = empty(weight.gpu, [NUMBERS, inner, outer]);
  const aligned = outer % 4 === 0;
  const count = inner * outer / (aligned ? 4 : 1);
  const unused = { channels: 0, height: 0, width: 0, tile_lines: 0, tile_columns: 0, first_tile: 0, tiles: 0 };
  weight.gpu.run(weightsOf({ aligned, turned }), {
    buffers: [weight.buffer, u.buffer],
    params: { ...unused, count, pad_top: 0, pad_left: 0, has_bias: 0 },
    groups: groups1d(count, WORKGROUP),
  });
  return u;
}
