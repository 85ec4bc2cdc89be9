// How a product C = A B is computed on hardware, through workgroup memory; what A, B and C are, says the op.
//
// A workgroup of GRID x GRID threads owns 8 GRID x 8 GRID elements of C, a thread 8 x 8 of them: two times four
// neighbouring rows and two times four neighbouring columns, each half a tile apart, so that neighbouring threads read
// neighbouring memory. For GRID steps of K at a time, half of the threads bring a 4 x 4 block of A each, the others one of
// B, as columns of steps: a step is then four vec4 reads for 64 multiply-adds. Lines are padded against bank conflicts.
//
// What the op provides is said in _product_lanes.wgsl.

// Threads along either side, and steps of K held: 8 or 16.
override GRID: u32 = 16u;
override A_TRANSPOSED: bool = false;

// vec4s of a line, 2 GRID and one more.
const PITCH = 33u;
var<workgroup> a_tile: array<vec4f, 528>; // GRID * PITCH: four rows at a step
var<workgroup> b_tile: array<vec4f, 528>; // four columns at a step

// Element 2 i + j: row i (0 .. 3 and 4 .. 7: the halves) x the j-th four columns.
var<private> sums: array<vec4f, 16>;

fn four_rows(i: u32, x: vec4f, left: vec4f, right: vec4f) {
  sums[2u * i] += x.x * left;
  sums[2u * i + 1u] += x.x * right;
  sums[2u * i + 2u] += x.y * left;
  sums[2u * i + 3u] += x.y * right;
  sums[2u * i + 4u] += x.z * left;
  sums[2u * i + 5u] += x.z * right;
  sums[2u * i + 6u] += x.w * left;
  sums[2u * i + 7u] += x.w * right;
}

fn step(k: u32, thread: vec3u) {
  let line = k * PITCH;
  let left = b_tile[line + thread.x];
  let right = b_tile[line + GRID + thread.x];
  four_rows(0u, a_tile[line + thread.y], left, right);
  four_rows(4u, a_tile[line + GRID + thread.y], left, right);
}

fn store_rows(i: u32, row: u32, column: u32) {
  store_four(row, column, sums[2u * i]);
  store_four(row, column + 4u * GRID, sums[2u * i + 1u]);
  store_four(row + 1u, column, sums[2u * i + 2u]);
  store_four(row + 1u, column + 4u * GRID, sums[2u * i + 3u]);
  store_four(row + 2u, column, sums[2u * i + 4u]);
  store_four(row + 2u, column + 4u * GRID, sums[2u * i + 5u]);
  store_four(row + 3u, column, sums[2u * i + 6u]);
  store_four(row + 3u, column + 4u * GRID, sums[2u * i + 7u]);
}

@compute @workgroup_size(GRID, GRID)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) thread: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let tile = group.x + group.y * groups.x;
  let tiles = (extent().y + 8u * GRID - 1u) / (8u * GRID);
  let row = tile / tiles * 8u * GRID;
  let column = tile % tiles * 8u * GRID;
  // The block that this thread brings: of A or B, which four steps of K, which four rows or columns.
  let half = GRID * GRID / 2u;
  let brings_a = index < half;
  let steps = index % half / (2u * GRID) * 4u;
  let four = index % (2u * GRID);
  open(group.z);
  place_rows(vec4u(row + 4u * four) + vec4u(0u, 1u, 2u, 3u));
  place_columns(column + 4u * four);
  let range = segments();
  for (var segment = range.x; segment < range.y; segment++) {
    let depth = enter(segment);
    for (var k = 0u; k < depth; k += GRID) {
      var block = mat4x4f();
      if (k + steps < depth) {
        if (brings_a) {
          block = transpose(load_a(k + steps));
        } else {
          block = load_b(k + steps);
        }
      }
      workgroupBarrier(); // the steps before are done with
      let at = steps * PITCH + four;
      if (brings_a) {
        a_tile[at] = block[0];
        a_tile[at + PITCH] = block[1];
        a_tile[at + 2u * PITCH] = block[2];
        a_tile[at + 3u * PITCH] = block[3];
      } else {
        b_tile[at] = block[0];
        b_tile[at + PITCH] = block[1];
        b_tile[at + 2u * PITCH] = block[2];
        b_tile[at + 3u * PITCH] = block[3];
      }
      workgroupBarrier();
      step(0u, thread);
      step(1u, thread);
      step(2u, thread);
      step(3u, thread);
      step(4u, thread);
      step(5u, thread);
      step(6u, thread);
      step(7u, thread);
      if (GRID > 8u) {
        step(8u, thread);
        step(9u, thread);
        step(10u, thread);
        step(11u, thread);
        step(12u, thread);
        step(13u, thread);
        step(14u, thread);
        step(15u, thread);
      }
    }
  }
  store_rows(0u, row + 4u * thread.y, column + 4u * thread.x);
  store_rows(4u, row + 4u * (GRID + thread.y), column + 4u * thread.x);
}
