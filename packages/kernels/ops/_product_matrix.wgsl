// How a product C = A B is computed by matrix units (tensor cores); what A, B and C are, says the op.
//
// A workgroup of four subgroups owns a tile of 8 x 8 units of C, a subgroup a quarter of it. For DEPTH steps of K at a time,
// one half of the threads bring 4 x 4 blocks of A, the other half of B, as f16; sums are f32. With units of 16 the tile is
// 128 x 128; each subgroup reads 8 units from workgroup memory for 16 products. C leaves by way of workgroup memory, unit
// by unit: elements of a matrix in registers cannot be told apart, hence neither edges cut off nor a bias added there.
//
// What the op provides is said in _product_lanes.wgsl.

// Whether rows of A, not steps of K, are neighbours in memory.
override A_TRANSPOSED: bool = false;
// Four subgroups.
override THREADS: u32 = 128u;

@compute @workgroup_size(THREADS)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = group.x + group.y * groups.x;
  let tiles = (extent().y + TILE_N - 1u) / TILE_N;
  let corner = vec2u(tile / tiles * TILE_M, tile % tiles * TILE_N);
  // The blocks that this thread brings: which steps and which four rows or columns; neighbours are along what is contiguous.
  let half = THREADS / 2u;
  let brings_a = index < half;
  let fours = select(TILE_N, TILE_M, brings_a) / 4u;
  let along_k = select(B_TRANSPOSED, !A_TRANSPOSED, brings_a);
  let four = select(index % fours, index % half / (half / fours), along_k);
  let first = select(index % half / fours, index % (half / fours), along_k) * 4u;
  open(group.z);
  place_rows(vec4u(corner.x + 4u * four) + vec4u(0u, 1u, 2u, 3u));
  place_columns(corner.y + 4u * four);
  var sums: Sums;
  let range = segments(group.z);
  for (var segment = range.x; segment < range.y; segment++) {
    let depth = enter(segment, group.z);
    for (var k = 0u; k < depth; k += DEPTH) {
      workgroupBarrier(); // the steps before are done with
      for (var step = first; step < DEPTH; step += 4u * (half / fours)) {
        bring(brings_a, k + step, depth, step, four);
      }
      workgroupBarrier();
      multiply(subgroup, &sums);
    }
  }
  for (var unit = 0u; unit < 16u; unit++) {
    workgroupBarrier();
    subgroupMatrixStore<row_major>(&parked, subgroup * UNIT_SIZE, sums[unit], UNIT_N / 4u);
    workgroupBarrier();
    let at = corner + unit_corner(unit, subgroup);
    for (var e = lane; e < UNIT_SIZE; e += THREADS / 4u) {
      store_four(at.x + e / (UNIT_N / 4u), at.y + e % (UNIT_N / 4u) * 4u, parked[subgroup * UNIT_SIZE + e]);
    }
  }
}
