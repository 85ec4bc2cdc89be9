// Tiles of 4 x 4 pixels of pictures, and the 36 numbers that each has, transformed; tiles go through in bands.

@group(0) @binding(1) var<storage, read_write> numbers: array<Elem>; // [36, tiles, C], or of weights [36, C_in, C_out]

struct Params {
  // Threads.
  count: u32,
  // In Elem.
  channels: u32,
  // Of the picture that is read or written.
  height: u32,
  width: u32,
  // Tiles of a picture.
  tile_lines: u32,
  tile_columns: u32,
  // Of all tiles, those of the band.
  first_tile: u32,
  tiles: u32,
  pad_top: u32,
  pad_left: u32,
  has_bias: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

// Of this thread: where the first of its 36 numbers is, and how far apart they are; its picture, the first pixel of its
// tile, and its channels.
var<private> place: u32;
var<private> stride: u32;
var<private> picture: u32;
var<private> corner: vec2u;
var<private> channel: u32;

fn enter(i: u32) {
  place = i;
  stride = params.tiles * params.channels;
  channel = i % params.channels;
  let tile = params.first_tile + i / params.channels;
  let line = tile / params.tile_columns;
  picture = line / params.tile_lines;
  corner = 4u * vec2u(line % params.tile_lines, tile % params.tile_columns);
}

fn index(at: vec2u) -> u32 {
  return ((picture * params.height + at.x) * params.width + at.y) * params.channels + channel;
}

fn store(row: u32, values: Six) {
  let at = place + 6u * row * stride;
  numbers[at] = values.a;
  numbers[at + stride] = values.b;
  numbers[at + 2u * stride] = values.c;
  numbers[at + 3u * stride] = values.d;
  numbers[at + 4u * stride] = values.e;
  numbers[at + 5u * stride] = values.f;
}
