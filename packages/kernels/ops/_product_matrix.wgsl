// How a product C = A B is computed by matrix units (tensor cores); what A, B and C are, says the op.
//
// A workgroup of four subgroups owns a tile of 8 x 8 units of C, a subgroup a quarter of it; with units of 16 the tile is
// 128 x 128. For DEPTH steps of K at a time each thread brings some 4 x 4 blocks of A and of B, rounded to f16: from
// storage into registers before the steps held are multiplied, which hides the way, into workgroup memory after. B stays as
// it lies in memory, since units read either order. Each subgroup reads 8 units for 16 products; sums are f32. C leaves by
// way of workgroup memory, unit by unit: elements of a matrix in registers cannot be told apart, hence neither edges cut
// off nor a bias added there.
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
  let quarter = vec2u(subgroup / 2u * 4u * UNIT_M, subgroup % 2u * 4u * UNIT_N);
  let a = place_of(index, TILE_M / 4u, !A_TRANSPOSED);
  let b = place_of(index, TILE_N / 4u, B_TRANSPOSED);
  open(group.z);
  place_rows(vec4u(corner.x + 4u * a.four) + vec4u(0u, 1u, 2u, 3u));
  place_columns(corner.y + 4u * b.four);
  var sums: Sums;
  let range = segments(group.z);
  var held = false;
  var depth = 0u;
  // A last segment, of nothing, multiplies what was brought before, and brings for nothing what there is.
  for (var segment = range.x; segment <= range.y; segment++) {
    if (segment < range.y) {
      depth = enter(segment, group.z);
    }
    let steps = select(1u, depth, segment < range.y);
    for (var k = 0u; k < steps; k += DEPTH) {
      fetch(0u, k, depth, a, b);
      fetch(1u, k, depth, a, b);
      fetch(2u, k, depth, a, b);
      fetch(3u, k, depth, a, b);
      if (held) {
        multiply(quarter, &sums);
      }
      workgroupBarrier(); // the tiles are done with
      put(0u, a, b);
      put(1u, a, b);
      put(2u, a, b);
      put(3u, a, b);
      workgroupBarrier();
      held = true;
    }
  }
  store_row(0u, corner + quarter, &sums, subgroup, lane);
  store_row(1u, corner + quarter, &sums, subgroup, lane);
  store_row(2u, corner + quarter, &sums, subgroup, lane);
  store_row(3u, corner + quarter, &sums, subgroup, lane);
}
