// y = softmax(x + bias) over each row: y_i = e_i / sum(e), e_i = exp(s_i - max(s)), s = x + bias (Eq. 1 of "Attention Is
// All You Need", with an addend to the scores: a mask or a table of relative positions, as attention.wgsl has none).
// Gradient: dx = y (dy - sum(dy y)); that of the bias is the sum of dx over the rows that share it.
//
// The addend is that of _addend_table.wgsl, so that batches share one table, and heads too if it has no axis for them, or
// that of _addend_distances.wgsl, which has no matrix. One workgroup a row. `forward`: 2 reads of x and addend, the second
// from the cache, the exponentials written and scaled in place. `backward`: 2 reads of y and dy, one from the cache, 1
// write. The scores are in memory as a whole: they are those of texts, 64 MiB at 512 tokens and 64 heads.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read_write> y: array<Elem>;
// backward
@group(0) @binding(0) var<storage, read> known: array<Elem>;
@group(0) @binding(1) var<storage, read> dy: array<Elem>;
@group(0) @binding(2) var<storage, read_write> dx: array<Elem>;

struct Params {
  rows: u32,
  // In Elem.
  width: u32,
  bias_rows: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

const LOWEST = -3.4e38;

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group.x + group.y * groups.x;
  if (row >= params.rows) {
    return;
  }
  let begin = row * params.width;
  let start = addend_begin(row);

  var highest = Elem(LOWEST);
  for (var i = thread; i < params.width; i += WORKGROUP) {
    highest = max(highest, x[begin + i] + addend(start, i));
  }
  let top = workgroup_max(elem_max(highest), thread);

  var sum = Elem();
  for (var i = thread; i < params.width; i += WORKGROUP) {
    let e = exp(x[begin + i] + addend(start, i) - top);
    sum += e;
    y[begin + i] = e;
  }
  let share = 1.0 / workgroup_sum(elem_sum(sum), thread);
  for (var i = thread; i < params.width; i += WORKGROUP) {
    y[begin + i] *= share;
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group.x + group.y * groups.x;
  if (row >= params.rows) {
    return;
  }
  let begin = row * params.width;
  var products = Elem();
  for (var i = thread; i < params.width; i += WORKGROUP) {
    products += known[begin + i] * dy[begin + i];
  }
  let slope = workgroup_sum(elem_sum(products), thread);
  for (var i = thread; i < params.width; i += WORKGROUP) {
    dx[begin + i] = known[begin + i] * (dy[begin + i] - slope);
  }
}
