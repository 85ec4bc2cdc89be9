// The tiles in workgroup memory of _product_matrix.wgsl, as f16, which is what matrix units multiply.
//
// Tiles are stored by row, in vec4s: offsets and strides of the units count these. Two more at the end of a row let the
// next begin at another bank.

// Steps of K held; with units of 16, 32 of them take 23 KiB of workgroup memory.
const DEPTH = 32u;

const TILE_M = 8u * UNIT_M;
const TILE_N = 8u * UNIT_N;
const A_PITCH = DEPTH / 4u + 2u;
const B_PITCH = TILE_N / 4u + 2u;

var<workgroup> a_tile: array<vec4<f16>, TILE_M * A_PITCH>; // [TILE_M, DEPTH]
var<workgroup> b_tile: array<vec4<f16>, DEPTH * B_PITCH>; // [DEPTH, TILE_N]

// Four steps, from `k` on, of the four rows or columns of this thread, zero from step `depth` on, to where they belong:
// column i of a block of A is its row i, of one of B its step i.
fn bring(brings_a: bool, k: u32, depth: u32, step: u32, four: u32) {
  var block = mat4x4f();
  if (brings_a) {
    if (k < depth) {
      block = load_a(k);
    }
    for (var i = 0u; i < 4u; i++) {
      a_tile[(4u * four + i) * A_PITCH + step / 4u] = half_of(block[i]);
    }
  } else {
    if (k < depth) {
      block = load_b(k);
    }
    for (var i = 0u; i < 4u; i++) {
      b_tile[(step + i) * B_PITCH + four] = half_of(block[i]);
    }
  }
}
