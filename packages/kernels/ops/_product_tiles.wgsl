// The tiles in workgroup memory of _product_matrix.wgsl, as f16, which is what matrix units multiply.
//
// Offsets and strides of the units count vec4s. Two more at the end of a row let the next begin at another bank.

// Steps of K held; with units of 16, 32 of them take 20 KiB of workgroup memory.
const DEPTH = 32u;

const TILE_M = 8u * UNIT_M;
const TILE_N = 8u * UNIT_N;
// vec4s of a row that lies along K, and of one that lies along the columns of C.
const K_PITCH = DEPTH / 4u + 2u;
const N_PITCH = TILE_N / 4u + 2u;

var<workgroup> a_tile: array<vec4<f16>, TILE_M * K_PITCH>; // [TILE_M, DEPTH]
var<workgroup> b_tile: array<vec4<f16>, TILE_N * K_PITCH>; // [TILE_N, DEPTH] if B is transposed, or [DEPTH, TILE_N]

// Four vec4s of a block of four steps of four rows or columns, as they are stored in the tiles.
alias Halves = array<vec4<f16>, 4>;

fn put_a(step: u32, four: u32, block: Halves) {
  let at = 4u * four * K_PITCH + step / 4u;
  a_tile[at] = block[0];
  a_tile[at + K_PITCH] = block[1];
  a_tile[at + 2u * K_PITCH] = block[2];
  a_tile[at + 3u * K_PITCH] = block[3];
}

fn put_b(step: u32, four: u32, block: Halves) {
  let pitch = select(N_PITCH, K_PITCH, B_TRANSPOSED);
  let at = select(step * N_PITCH + four, 4u * four * K_PITCH + step / 4u, B_TRANSPOSED);
  b_tile[at] = block[0];
  b_tile[at + pitch] = block[1];
  b_tile[at + 2u * pitch] = block[2];
  b_tile[at + 3u * pitch] = block[3];
}

fn left_at(row: u32, k: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&a_tile, row * K_PITCH + k / 4u, K_PITCH);
}

fn right_at(column: u32, k: u32) -> Right {
  if (B_TRANSPOSED) {
    return subgroupMatrixLoad<Right, col_major>(&b_tile, column * K_PITCH + k / 4u, K_PITCH);
  }
  return subgroupMatrixLoad<Right, row_major>(&b_tile, k * N_PITCH + column / 4u, N_PITCH);
}
