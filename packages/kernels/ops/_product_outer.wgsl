// What a thread of _product_shared.wgsl computes from the lines of _product_lines.wgsl.
//
// It has HALVES times four neighbouring rows and two times four neighbouring columns, each half a tile apart, so that
// neighbouring threads read neighbouring memory: a step is four vec4 reads for 64 multiply-adds, or three for 32.

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

fn step(k: u32, thread: vec2u) {
  let row = place(k, thread.y);
  let column = place(k, thread.x);
  let left = b_lines[k][column];
  let right = b_lines[k][GRID + column];
  four_rows(0u, a_lines[k][row], left, right);
  if (HALVES > 1u) {
    four_rows(4u, a_lines[k][GRID + row], left, right);
  }
}

fn eight_steps(k: u32, thread: vec2u) {
  step(k, thread);
  step(k + 1u, thread);
  step(k + 2u, thread);
  step(k + 3u, thread);
  step(k + 4u, thread);
  step(k + 5u, thread);
  step(k + 6u, thread);
  step(k + 7u, thread);
}
