// How a product C = A B is computed on hardware, through workgroup memory; what A, B and C are, says the op.
//
// A workgroup of GRID x GRID threads owns a tile of 4 HALVES GRID x 8 GRID elements of C, a thread 4 HALVES x 8 of them in
// registers. A tile of 128 x 128 does 32 operations for each byte that it reads, above what any GPU's memory asks for; one
// of 64 x 64 does 16, and fills the device with smaller results. Registers of a thread: 64 sums, 16 operands of a step, 16
// of the block on its way: below 128, so that at least two large workgroups share a multiprocessor and one computes while
// the other waits. With one half it is 32, 12 and 16, for GPUs that have no more than 128 in all.
//
// For GRID steps of K at a time, one half of the threads bring 4 x 4 blocks of A, the other half of B: from storage into
// registers before the steps on the lines held are computed, which hides the way, from there into workgroup memory after
// them. What was read is unpacked and masked then, not before: the first instruction that touches it waits for it.
// Neighbouring threads bring what is neighbouring in storage, GRID steps of a row or a whole line; what eight of them read
// at once costs a look-up for each line of the cache. Eight by four threads, which hardware runs together, share the
// operands of a step: 12 vec4s for 32 threads. Two barriers for GRID steps; no second copy of the lines, since 16 KiB is
// what every adapter has.
//
// What the op provides is said in _product_lanes.wgsl.

@compute @workgroup_size(GRID * GRID)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let team = vec2u(index / 32u % (GRID / 8u), index / (4u * GRID));
  let thread = team * vec2u(8u, 4u) + vec2u(index % 8u, index / 8u % 4u);
  let tile = group.x + group.y * groups.x;
  let tiles = (extent().y + 8u * GRID - 1u) / (8u * GRID);
  let corner = vec2u(tile / tiles * HALVES, tile % tiles * 2u) * 4u * GRID;
  // The block that this thread brings: four steps of four rows or columns; neighbours are along what storage has in a row.
  let half = GRID * GRID / 2u;
  let i = index % half;
  let brings_a = index < half;
  let along_k = select(B_TRANSPOSED, !A_TRANSPOSED, brings_a);
  let fours = select(2u, HALVES, brings_a) * GRID;
  let brings = HALVES > 1u || i < fours * (GRID / 4u); // a lower tile of A leaves some threads without a block
  let four = select(i % fours, i / (GRID / 4u), along_k);
  let steps = select(i / fours, i % (GRID / 4u), along_k) * 4u;
  open(group.z);
  place_rows(vec4u(corner.x + 4u * four) + vec4u(0u, 1u, 2u, 3u));
  place_columns(corner.y + 4u * four);
  let range = segments(group.z);
  var held = false;
  // A last segment, of nothing, multiplies what was brought before.
  for (var segment = range.x; segment <= range.y; segment++) {
    var depth = GRID;
    if (segment < range.y) {
      depth = enter(segment, group.z);
    }
    for (var k = 0u; k < depth; k += GRID) {
      let fetched = fetch(brings_a, k + steps, select(0u, depth, brings && segment < range.y));
      if (held) {
        eight_steps(0u, thread);
        if (GRID > 8u) {
          eight_steps(8u, thread);
        }
        if (SEGMENTED && k == 0u) {
          close_segment(); // those were the last steps of the segment before
        }
      }
      workgroupBarrier(); // the lines are done with
      if (brings) {
        put(brings_a, steps, four, block_of(brings_a, k + steps, fetched));
      }
      workgroupBarrier();
      held = true;
    }
  }
  store_rows(0u, corner.x + 4u * thread.y, corner.y + 4u * thread.x);
  if (HALVES > 1u) {
    store_rows(4u, corner.x + 4u * (GRID + thread.y), corner.y + 4u * thread.x);
  }
}
