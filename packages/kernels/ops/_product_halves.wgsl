// The tiles in workgroup memory of _product_matrix.wgsl, as f16, which is what matrix units multiply, and what is on its
// way there.
//
// Offsets and strides of the units count vec4s. Two more at the end of a row let the next begin at another bank.

// Steps of K held; with units of 16, 32 of them take 20 KiB of workgroup memory.
const DEPTH = 32u;

const TILE_M = 8u * UNIT_M;
const TILE_N = 8u * UNIT_N;
// vec4s of a row that lies along K, and of one that lies along the columns of C.
const K_PITCH = DEPTH / 4u + 2u;
const N_PITCH = TILE_N / 4u + 2u;

// Whether rows of A, not steps of K, are neighbours in memory.
override A_TRANSPOSED: bool = false;
// Four subgroups.
override THREADS: u32 = 128u;

var<workgroup> a_tile: array<vec4<f16>, TILE_M * K_PITCH>; // [TILE_M, DEPTH]
var<workgroup> b_tile: array<vec4<f16>, TILE_N * K_PITCH>; // [TILE_N, DEPTH] if B is transposed, or [DEPTH, TILE_N]

alias Halves = array<vec4<f16>, 4>;

// Two blocks each of four steps of four rows or columns, as they are stored in the tiles.
var<private> a_first: Halves;
var<private> a_second: Halves;
var<private> b_first: Halves;
var<private> b_second: Halves;

// Which blocks a thread brings: four rows or columns, and the first four steps; neighbours are along what is contiguous.
struct Place {
  four: u32,
  step: u32,
}

fn place_of(index: u32, fours: u32, along_k: bool) -> Place {
  let several = THREADS / fours;
  return Place(select(index % fours, index / several, along_k), select(index / fours, index % several, along_k) * 4u);
}

fn halves_of(block: mat4x4f) -> Halves {
  return Halves(half_of(block[0]), half_of(block[1]), half_of(block[2]), half_of(block[3]));
}

// Zero from step `depth` on.
fn fetch_a(k: u32, depth: u32) -> Halves {
  if (k >= depth) {
    return Halves();
  }
  return halves_of(load_a(k));
}

fn fetch_b(k: u32, depth: u32) -> Halves {
  if (k >= depth) {
    return Halves();
  }
  let block = load_b(k);
  if (B_TRANSPOSED) {
    return halves_of(transpose(block));
  }
  return halves_of(block);
}

fn fetch(k: u32, depth: u32, a: Place, b: Place) {
  a_first = fetch_a(k + a.step, depth);
  a_second = fetch_a(k + a.step + DEPTH / 2u, depth);
  b_first = fetch_b(k + b.step, depth);
  b_second = fetch_b(k + b.step + DEPTH / 2u, depth);
}

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

fn put(a: Place, b: Place) {
  put_a(a.step, a.four, a_first);
  put_a(a.step + DEPTH / 2u, a.four, a_second);
  put_b(b.step, b.four, b_first);
  put_b(b.step + DEPTH / 2u, b.four, b_second);
}
