// What threads of _product_matrix.wgsl bring: 4 x 4 blocks of A and of B, as f16, from storage by way of registers.

// Which four rows or columns a thread brings, the first four steps of them, and how far it is to the next.
struct Place {
  four: u32,
  step: u32,
  stride: u32,
}

// Blocks of A and of B of a thread, 1, 2 or 4: with units of 16 and 128 threads two.
override A_BLOCKS = TILE_M * DEPTH / 16u / THREADS;
override B_BLOCKS = TILE_N * DEPTH / 16u / THREADS;

var<private> a_held: array<Halves, 4>;
var<private> b_held: array<Halves, 4>;

// Neighbouring threads bring what is neighbouring in memory.
fn place_of(index: u32, fours: u32, along_k: bool) -> Place {
  let several = THREADS / fours;
  let four = select(index % fours, index / several, along_k);
  let step = select(index / fours, index % several, along_k);
  return Place(four, 4u * step, 4u * several);
}

// Zero if not `valid`; read all the same, since in a branch a read would be waited for.
fn halves_of(block: mat4x4f, valid: bool) -> Halves {
  let one = select(0.0h, 1.0h, valid);
  return Halves(one * half_of(block[0]), one * half_of(block[1]), one * half_of(block[2]), one * half_of(block[3]));
}

// Brings the i-th blocks from step k on, of `depth` steps.
fn fetch(i: u32, k: u32, depth: u32, a: Place, b: Place) {
  let last = (depth - 1u) / 4u * 4u;
  if (i < A_BLOCKS) {
    let step = k + a.step + i * a.stride;
    a_held[i] = halves_of(load_a(min(step, last)), step < depth);
  }
  if (i < B_BLOCKS) {
    let step = k + b.step + i * b.stride;
    let block = load_b(min(step, last));
    if (B_TRANSPOSED) {
      b_held[i] = halves_of(transpose(block), step < depth);
    } else {
      b_held[i] = halves_of(block, step < depth);
    }
  }
}

fn put(i: u32, a: Place, b: Place) {
  if (i < A_BLOCKS) {
    put_a(a.step + i * a.stride, a.four, a_held[i]);
  }
  if (i < B_BLOCKS) {
    put_b(b.step + i * b.stride, b.four, b_held[i]);
  }
}
