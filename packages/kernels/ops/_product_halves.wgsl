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

// Four vec4s of a block of four steps of four rows or columns, as they are stored in the tiles.
alias Halves = array<vec4<f16>, 4>;

// Blocks that a thread brings of A and of B, at most four each: with units of 16 and 128 threads two.
override A_BLOCKS = TILE_M * DEPTH / 16u / THREADS;
override B_BLOCKS = TILE_N * DEPTH / 16u / THREADS;
var<private> a_held: array<Halves, 4>;
var<private> b_held: array<Halves, 4>;

// Which blocks a thread brings: four rows or columns, the first four steps, how far to the next steps; neighbours are along
// what is contiguous.
struct Place {
  four: u32,
  step: u32,
  stride: u32,
}

fn place_of(index: u32, fours: u32, along_k: bool) -> Place {
  let several = THREADS / fours;
  let four = select(index % fours, index / several, along_k);
  let step = select(index / fours, index % several, along_k);
  return Place(four, 4u * step, 4u * several);
}

// Zero from step `depth` on; read all the same, since a branch would wait for what it read.
fn halves_of(block: mat4x4f, valid: bool) -> Halves {
  let zero = vec4<f16>();
  return Halves(
    select(zero, half_of(block[0]), valid),
    select(zero, half_of(block[1]), valid),
    select(zero, half_of(block[2]), valid),
    select(zero, half_of(block[3]), valid),
  );
}

fn fetch_a(k: u32, depth: u32) -> Halves {
  return halves_of(load_a(min(k, (depth - 1u) / 4u * 4u)), k < depth);
}

fn fetch_b(k: u32, depth: u32) -> Halves {
  let block = load_b(min(k, (depth - 1u) / 4u * 4u));
  if (B_TRANSPOSED) {
    return halves_of(transpose(block), k < depth);
  }
  return halves_of(block, k < depth);
}

fn fetch(k: u32, depth: u32, a: Place, b: Place) {
  a_held[0] = fetch_a(k + a.step, depth);
  if (A_BLOCKS > 1u) {
    a_held[1] = fetch_a(k + a.step + a.stride, depth);
  }
  if (A_BLOCKS > 2u) {
    a_held[2] = fetch_a(k + a.step + 2u * a.stride, depth);
    a_held[3] = fetch_a(k + a.step + 3u * a.stride, depth);
  }
  b_held[0] = fetch_b(k + b.step, depth);
  if (B_BLOCKS > 1u) {
    b_held[1] = fetch_b(k + b.step + b.stride, depth);
  }
  if (B_BLOCKS > 2u) {
    b_held[2] = fetch_b(k + b.step + 2u * b.stride, depth);
    b_held[3] = fetch_b(k + b.step + 3u * b.stride, depth);
  }
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
  put_a(a.step, a.four, a_held[0]);
  if (A_BLOCKS > 1u) {
    put_a(a.step + a.stride, a.four, a_held[1]);
  }
  if (A_BLOCKS > 2u) {
    put_a(a.step + 2u * a.stride, a.four, a_held[2]);
    put_a(a.step + 3u * a.stride, a.four, a_held[3]);
  }
  put_b(b.step, b.four, b_held[0]);
  if (B_BLOCKS > 1u) {
    put_b(b.step + b.stride, b.four, b_held[1]);
  }
  if (B_BLOCKS > 2u) {
    put_b(b.step + 2u * b.stride, b.four, b_held[2]);
    put_b(b.step + 3u * b.stride, b.four, b_held[3]);
  }
}
