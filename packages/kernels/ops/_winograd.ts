import { hasFewRegisters } from "../gpu/adapter.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { groups1d, type Kernel } from "../gpu/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Geometry } from "./_conv_geometry.ts";
import scalar from "./_elem_scalar.wgsl" with { type: "text" };
import vec4 from "./_elem_vec4.wgsl" with { type: "text" };
import points from "./_winograd.wgsl" with { type: "text" };
import tiles from "./_winograd_tiles.wgsl" with { type: "text" };

/** Results along a side of a tile, and the numbers that a tile has when it is transformed. */
const TILE = 4;
export const NUMBERS = 36;

/** Bytes of the numbers of all tiles of a band: large caches hold so much. */
const BAND = { software: 2 << 20, hardware: 64 << 20 } as const;

const WORKGROUP = 64;

/** Parameters of all kernels; those of weights read the first only. */
export const PARAMS = {
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

type Params = Readonly<Record<keyof typeof PARAMS, number>>;

const NONE = Object.fromEntries(Object.keys(PARAMS).map((name) => [name, 0])) as Params;

/** What all kernels have, for channels in fours or one by one. */
export function common(source: string, { aligned }: { aligned: boolean }) {
  return { sources: [aligned ? vec4 : scalar, points, tiles, source], params: PARAMS };
}

/** Whether a thread takes four channels: if they come in fours, and it has the registers for 36 numbers of each. */
export function takesFour({ adapter }: Gpu, channels: number): boolean {
  return channels % 4 === 0 && !hasFewRegisters(adapter);
}

/** Some of the tiles of pictures, the results of a convolution. */
export interface Band {
  readonly tile_lines: number;
  readonly tile_columns: number;
  readonly first_tile: number;
  readonly tiles: number;
}

/** All tiles of `batch` pictures, a band at a time. */
export function* bandsOf(gpu: Gpu, batch: number, { out_height, out_width, n, c_in }: Geometry): Generator<Band> {
  const tile_lines = Math.ceil(out_height / TILE), tile_columns = Math.ceil(out_width / TILE);
  const total = batch * tile_lines * tile_columns;
  const bytes = BAND[gpu.adapter.software ? "software" : "hardware"];
  const most = Math.ceil(bytes / (NUMBERS * Math.max(n, c_in) * Float32Array.BYTES_PER_ELEMENT));
  for (let first_tile = 0; first_tile < total; first_tile += most) {
    yield { tile_lines, tile_columns, first_tile, tiles: Math.min(most, total - first_tile) };
  }
}

/** Runs `kernel` for the tiles of a band and all channels of `picture [B, height, width, channels]`. */
export function runTiles(
  kernel: Kernel<string, keyof typeof PARAMS>,
  buffers: readonly Tensor[],
  { picture, band, aligned, ...others }: {
    readonly picture: Tensor;
    readonly band: Band;
    readonly aligned: boolean;
    readonly pad_top?: number;
    readonly pad_left?: number;
    readonly has_bias?: number;
  },
): void {
  const [height = 0, width = 0, size = 0] = picture.shape.slice(1);
  const channels = aligned ? size / 4 : size;
  const count = band.tiles * channels;
  picture.gpu.run(kernel, {
    buffers: buffers.map(({ buffer }) => buffer),
    params: { ...NONE, ...band, ...others, count, channels, height, width },
    groups: groups1d(count, WORKGROUP),
  });
}

/** Runs `kernel` for `count` pairs, or fours of pairs, of an input and an output channel. */
export function runPairs(
  kernel: Kernel<string, keyof typeof PARAMS>,
  buffers: readonly [Tensor, Tensor],
  count: number,
) {
  buffers[0].gpu.run(kernel, {
    buffers: buffers.map(({ buffer }) => buffer),
    params: { ...NONE, count },
    groups: groups1d(count, WORKGROUP),
  });
}
