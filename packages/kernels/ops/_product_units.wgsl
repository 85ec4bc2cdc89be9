// The matrices in registers that a subgroup of _product_matrix.wgsl multiplies: 4 x 4 units, a quarter of the tile. Their
// indices are literal where functions are called, since computed ones would send all of them to memory.

// Element 4 i + j: the i-th unit down and the j-th across.
alias Sums = array<Sum, 16>;

// A column of units: those of A times the j-th of B.
fn multiply_column(j: u32, left: array<Left, 4>, right: Right, sums: ptr<function, Sums>) {
  sums[j] = subgroupMatrixMultiplyAccumulate(left[0], right, sums[j]);
  sums[4u + j] = subgroupMatrixMultiplyAccumulate(left[1], right, sums[4u + j]);
  sums[8u + j] = subgroupMatrixMultiplyAccumulate(left[2], right, sums[8u + j]);
  sums[12u + j] = subgroupMatrixMultiplyAccumulate(left[3], right, sums[12u + j]);
}

// The units of the subgroup begin at `corner` of the tile.
fn multiply(corner: vec2u, sums: ptr<function, Sums>) {
  for (var k = 0u; k < DEPTH; k += UNIT_K) {
    let left = array<Left, 4>(
      left_at(corner.x, k),
      left_at(corner.x + UNIT_M, k),
      left_at(corner.x + 2u * UNIT_M, k),
      left_at(corner.x + 3u * UNIT_M, k),
    );
    multiply_column(0u, left, right_at(corner.y, k), sums);
    multiply_column(1u, left, right_at(corner.y + UNIT_N, k), sums);
    multiply_column(2u, left, right_at(corner.y + 2u * UNIT_N, k), sums);
    multiply_column(3u, left, right_at(corner.y + 3u * UNIT_N, k), sums);
  }
}

const UNIT_SIZE = UNIT_M * UNIT_N / 4u;

// A unit of each subgroup, on the way from registers to C.
var<workgroup> parked: array<vec4f, 4u * UNIT_SIZE>;

// Writes the unit of which row and column in C are `at`.
fn store_unit(sum: Sum, at: vec2u, subgroup: u32, lane: u32) {
  workgroupBarrier(); // the unit before is written
  subgroupMatrixStore<row_major>(&parked, subgroup * UNIT_SIZE, sum, UNIT_N / 4u);
  workgroupBarrier();
  for (var e = lane; e < UNIT_SIZE; e += THREADS / 4u) {
    store_four(at.x + e / (UNIT_N / 4u), at.y + e % (UNIT_N / 4u) * 4u, parked[subgroup * UNIT_SIZE + e]);
  }
}

fn store_row(i: u32, corner: vec2u, sums: ptr<function, Sums>, subgroup: u32, lane: u32) {
  let at = corner + vec2u(i * UNIT_M, 0u);
  store_unit(sums[4u * i], at, subgroup, lane);
  store_unit(sums[4u * i + 1u], at + vec2u(0u, UNIT_N), subgroup, lane);
  store_unit(sums[4u * i + 2u], at + vec2u(0u, 2u * UNIT_N), subgroup, lane);
  store_unit(sums[4u * i + 3u], at + vec2u(0u, 3u * UNIT_N), subgroup, lane);
}
