// How a product C = A B of a few rows is computed on hardware, where its time is that of reading B; what A, B and C are,
// says the op.
//
// A workgroup owns 4 rows x 4 COLUMN_LANES columns of C. A thread has four of the columns in all rows, and of K four steps
// of every 4 DEPTH_LANES; the sums of the threads that share columns are added by a tree in workgroup memory. With one
// lane of columns all threads read along K, for a B whose steps of K are neighbours; with more, along columns. B is read
// once, or from a cache where there are more than four rows: their workgroups are neighbours.
//
// What the op provides is said in _product_lanes.wgsl.

// 1 .. 128, a power of two.
override COLUMN_LANES: u32 = 1u;
const THREADS = 128u;
// What the op reads A by.
override A_TRANSPOSED: bool = false;

var<workgroup> tree: array<mat4x4f, THREADS>;

@compute @workgroup_size(THREADS)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let tile = group.x + group.y * groups.x;
  let tiles = (extent().x + 3u) / 4u;
  let row = tile % tiles * 4u;
  let column = 4u * (tile / tiles * COLUMN_LANES + thread % COLUMN_LANES);
  open(group.z);
  place_rows(vec4u(row) + vec4u(0u, 1u, 2u, 3u));
  place_columns(column);
  // Columns are rows of C.
  var sums = mat4x4f();
  let range = segments(group.z);
  for (var segment = range.x; segment < range.y; segment++) {
    let depth = enter(segment, group.z);
    for (var k = thread / COLUMN_LANES * 4u; k < depth; k += THREADS / COLUMN_LANES * 4u) {
      sums += load_b(k) * load_a(k);
    }
  }
  tree[thread] = sums;
  for (var half = THREADS / 2u; half >= COLUMN_LANES; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      tree[thread] += tree[thread + half];
    }
  }
  if (thread < COLUMN_LANES) {
    store_four(row, column, tree[thread][0]);
    store_four(row + 1u, column, tree[thread][1]);
    store_four(row + 2u, column, tree[thread][2]);
    store_four(row + 3u, column, tree[thread][3]);
  }
}
