// The matrices in registers that a subgroup of _product_matrix.wgsl multiplies: 4 x 4 units, a quarter of the tile. They
// are told apart by literal indices alone, since one that is computed would send all of them to memory.

// Element 4 i + j: the i-th unit down and the j-th across.
alias Sums = array<Sum, 16>;

fn left_at(row: u32, k: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&a_tile, row * K_PITCH + k / 4u, K_PITCH);
}

fn right_at(column: u32, k: u32) -> Right {
  if (B_TRANSPOSED) {
    return subgroupMatrixLoad<Right, col_major>(&b_tile, column * K_PITCH + k / 4u, K_PITCH);
  }
  return subgroupMatrixLoad<Right, row_major>(&b_tile, k * N_PITCH + column / 4u, N_PITCH);
}

// The units of subgroup `subgroup` begin at `corner` of the tile.
fn multiply(corner: vec2u, sums: ptr<function, Sums>) {
  for (var k = 0u; k < DEPTH; k += UNIT_K) {
    let a = left_at(corner.x, k);
    let b = left_at(corner.x + UNIT_M, k);
    let c = left_at(corner.x + 2u * UNIT_M, k);
    let d = left_at(corner.x + 3u * UNIT_M, k);
    let first = right_at(corner.y, k);
    sums[0] = subgroupMatrixMultiplyAccumulate(a, first, sums[0]);
    sums[4] = subgroupMatrixMultiplyAccumulate(b, first, sums[4]);
    sums[8] = subgroupMatrixMultiplyAccumulate(c, first, sums[8]);
    sums[12] = subgroupMatrixMultiplyAccumulate(d, first, sums[12]);
    let second = right_at(corner.y + UNIT_N, k);
    sums[1] = subgroupMatrixMultiplyAccumulate(a, second, sums[1]);
    sums[5] = subgroupMatrixMultiplyAccumulate(b, second, sums[5]);
    sums[9] = subgroupMatrixMultiplyAccumulate(c, second, sums[9]);
    sums[13] = subgroupMatrixMultiplyAccumulate(d, second, sums[13]);
    let third = right_at(corner.y + 2u * UNIT_N, k);
    sums[2] = subgroupMatrixMultiplyAccumulate(a, third, sums[2]);
    sums[6] = subgroupMatrixMultiplyAccumulate(b, third, sums[6]);
    sums[10] = subgroupMatrixMultiplyAccumulate(c, third, sums[10]);
    sums[14] = subgroupMatrixMultiplyAccumulate(d, third, sums[14]);
    let fourth = right_at(corner.y + 3u * UNIT_N, k);
    sums[3] = subgroupMatrixMultiplyAccumulate(a, fourth, sums[3]);
    sums[7] = subgroupMatrixMultiplyAccumulate(b, fourth, sums[7]);
    sums[11] = subgroupMatrixMultiplyAccumulate(c, fourth, sums[11]);
    sums[15] = subgroupMatrixMultiplyAccumulate(d, fourth, sums[15]);
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

fn store_units(corner: vec2u, sums: ptr<function, Sums>, subgroup: u32, lane: u32) {
  let down = vec2u(UNIT_M, 0u);
  let across = vec2u(0u, UNIT_N);
  store_unit(sums[0], corner, subgroup, lane);
  store_unit(sums[1], corner + across, subgroup, lane);
  store_unit(sums[2], corner + 2u * across, subgroup, lane);
  store_unit(sums[3], corner + 3u * across, subgroup, lane);
  store_unit(sums[4], corner + down, subgroup, lane);
  store_unit(sums[5], corner + down + across, subgroup, lane);
  store_unit(sums[6], corner + down + 2u * across, subgroup, lane);
  store_unit(sums[7], corner + down + 3u * across, subgroup, lane);
  store_unit(sums[8], corner + 2u * down, subgroup, lane);
  store_unit(sums[9], corner + 2u * down + across, subgroup, lane);
  store_unit(sums[10], corner + 2u * down + 2u * across, subgroup, lane);
  store_unit(sums[11], corner + 2u * down + 3u * across, subgroup, lane);
  store_unit(sums[12], corner + 3u * down, subgroup, lane);
  store_unit(sums[13], corner + 3u * down + across, subgroup, lane);
  store_unit(sums[14], corner + 3u * down + 2u * across, subgroup, lane);
  store_unit(sums[15], corner + 3u * down + 3u * across, subgroup, lane);
}
