// The gradients of attention. With P = exp(scale q k^T - lse) per batch and head:
//   dv = P^T dout,  dS = P (dout v^T - delta),  delta[q] = dout[q] . out[q],  dq = scale dS k,  dk = scale dS^T q
// (Dao, FlashAttention-2, arXiv 2307.08691, algorithm 2).
//
// P is computed anew from the saved lse; no matrix of queries x keys is ever in memory. One kernel makes any of the
// three: as in attention.wgsl, a workgroup keeps 32 rows of the result, walks over the columns 64 at a time, shares what
// each column counts for each row, and adds up the columns' values. No two workgroups write to one place.
//
//        rows   a, of rows and columns   b, of rows and columns   weights   values
//   dq   queries       q, k                     dout, v             dS        k
//   dk   keys          k, q                     v, dout             dS^T      q
//   dv   keys          k, q                     -, dout             P^T       dout
//
// So scores are computed three times, but a gradient that is not wanted costs nothing, and a thread's sums fit its
// registers. All are [B, L, H, D] with D a multiple of 4; lse and delta are [B, H, Lq].

// Products of a and of b: four rows x four neighbouring columns, left and right half.
var<private> left_a: array<vec4f, 4>;
var<private> right_a: array<vec4f, 4>;
var<private> left_b: array<vec4f, 4>;
var<private> right_b: array<vec4f, 4>;

fn multiply_a(i: u32, x: vec4f, left: mat4x4f, right: mat4x4f) {
  left_a[i] += x * left;
  right_a[i] += x * right;
}

fn multiply_b(i: u32, x: vec4f, left: mat4x4f, right: mat4x4f) {
  left_b[i] += x * left;
  right_b[i] += x * right;
}

fn block_a(at: vec4u) -> mat4x4f {
  return mat4x4f(columns_a[at.x], columns_a[at.y], columns_a[at.z], columns_a[at.w]);
}

fn block_b(at: vec4u) -> mat4x4f {
  return mat4x4f(columns_b[at.x], columns_b[at.y], columns_b[at.z], columns_b[at.w]);
}

// lse and delta of four queries: of a thread's rows, or of neighbouring columns.
struct Offsets {
  lse: vec4f,
  delta: vec4f,
}

fn offsets(base: u32, at: vec4u) -> Offsets {
  let i = vec4u(base) + at;
  var d = vec4f();
  if (!VALUES) {
    d = vec4f(delta[i.x], delta[i.y], delta[i.z], delta[i.w]);
  }
  return Offsets(vec4f(lse[i.x], lse[i.y], lse[i.z], lse[i.w]), d);
}

// What four columns from `first` on count for a row; those beyond the end nothing.
fn weight(a: vec4f, b: vec4f, row: vec2f, columns: Offsets, first: u32) -> vec4f {
  let valid = vec4u(first) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.columns);
  let p = exp(params.scale * a - select(vec4f(row.x), columns.lse, BY_KEY));
  if (VALUES) {
    return select(vec4f(), p, valid);
  }
  return select(vec4f(), p * (b - select(vec4f(row.y), columns.delta, BY_KEY)), valid);
}

// The weights of this thread's eight columns for row i, for all threads.
fn publish(i: u32, thread: vec3u, row: vec2f, left: Offsets, right: Offsets, first: u32) {
  let at = (thread.y + 8u * i) * PITCH + thread.x;
  weights[at] = weight(left_a[i], left_b[i], row, left, first);
  weights[at + 8u] = weight(right_a[i], right_b[i], row, right, first + COLUMNS / 2u);
}

// Adds four columns, whose vec4s of the values are at `at`, to chunk c of the four rows.
fn weigh_columns(c: u32, at: vec4u, w: array<vec4f, 4>) {
  if (VALUES) {
    weigh(c, columns_b[at.x], columns_b[at.y], columns_b[at.z], columns_b[at.w], w);
  } else {
    weigh(c, columns_a[at.x], columns_a[at.y], columns_a[at.z], columns_a[at.w], w);
  }
}

@compute @workgroup_size(8, 8)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) thread: vec3u) {
  let head = group.y % params.heads;
  let step = params.heads * params.width;
  let base = group.z * params.columns * step + head * params.width;
  let line = (group.z * params.heads + head) * select(params.rows, params.columns, BY_KEY);
  let row = group.x * ROWS + thread.y;
  let rows = min(vec4u(row) + vec4u(0u, 8u, 16u, 24u), vec4u(params.rows - 1u));
  let row_at = vec4u(group.z * params.rows * step + head * params.width) + rows * step;
  // Channels beyond the head repeat the first and are not stored.
  let chunk = vec4u(group.y / params.heads * 32u + thread.x) + vec4u(0u, 8u, 16u, 24u);
  let channels = select(vec4u(0u), chunk, chunk < vec4u(params.width));
  let last = vec4u(params.columns - 1u);
  var row_offsets = Offsets();
  if (!BY_KEY) {
    row_offsets = offsets(line, rows);
  }

  for (var first = 0u; first < params.columns; first += COLUMNS) {
    left_a = array<vec4f, 4>();
    right_a = array<vec4f, 4>();
    left_b = array<vec4f, 4>();
    right_b = array<vec4f, 4>();
    let l_first = first + thread.x * 4u;
    let r_first = l_first + COLUMNS / 2u;
    let l_columns = min(vec4u(l_first) + vec4u(0u, 1u, 2u, 3u), last);
    let r_columns = min(vec4u(r_first) + vec4u(0u, 1u, 2u, 3u), last);
    let l_at = vec4u(base) + l_columns * step;
    let r_at = vec4u(base) + r_columns * step;
    for (var d = 0u; d < params.width; d++) {
      let l = block_a(l_at + d);
      let r = block_a(r_at + d);
      multiply_a(0u, rows_a[row_at.x + d], l, r);
      multiply_a(1u, rows_a[row_at.y + d], l, r);
      multiply_a(2u, rows_a[row_at.z + d], l, r);
      multiply_a(3u, rows_a[row_at.w + d], l, r);
      if (!VALUES) {
        let s = block_b(l_at + d);
        let t = block_b(r_at + d);
        multiply_b(0u, rows_b[row_at.x + d], s, t);
        multiply_b(1u, rows_b[row_at.y + d], s, t);
        multiply_b(2u, rows_b[row_at.z + d], s, t);
        multiply_b(3u, rows_b[row_at.w + d], s, t);
      }
    }
    var l_offsets = Offsets();
    var r_offsets = Offsets();
    if (BY_KEY) {
      l_offsets = offsets(line, l_columns);
      r_offsets = offsets(line, r_columns);
    }
    publish(0u, thread, vec2f(row_offsets.lse.x, row_offsets.delta.x), l_offsets, r_offsets, l_first);
    publish(1u, thread, vec2f(row_offsets.lse.y, row_offsets.delta.y), l_offsets, r_offsets, l_first);
    publish(2u, thread, vec2f(row_offsets.lse.z, row_offsets.delta.z), l_offsets, r_offsets, l_first);
    publish(3u, thread, vec2f(row_offsets.lse.w, row_offsets.delta.w), l_offsets, r_offsets, l_first);
    workgroupBarrier();
    let block = min(COLUMNS, params.columns - first);
    for (var j = 0u; j < block; j += 4u) {
      let at = vec4u(base) + min(vec4u(first + j) + vec4u(0u, 1u, 2u, 3u), last) * step;
      let w = load_weights(thread.y, j);
      weigh_columns(0u, at + channels.x, w);
      if (CHUNKS > 1u) {
        weigh_columns(1u, at + channels.y, w);
      }
      if (CHUNKS > 2u) {
        weigh_columns(2u, at + channels.z, w);
      }
      if (CHUNKS > 3u) {
        weigh_columns(3u, at + channels.w, w);
      }
    }
    workgroupBarrier();
  }
  finish(0u, row, row_at.x, chunk);
  finish(1u, row + 8u, row_at.y, chunk);
  finish(2u, row + 16u, row_at.z, chunk);
  finish(3u, row + 24u, row_at.w, chunk);
}

fn finish(i: u32, row: u32, at: u32, chunk: vec4u) {
  if (row >= params.rows) {
    return;
  }
  write(at, chunk.x, sums[4u * i]);
  if (CHUNKS > 1u) {
    write(at, chunk.y, sums[4u * i + 1u]);
  }
  if (CHUNKS > 2u) {
    write(at, chunk.z, sums[4u * i + 2u]);
  }
  if (CHUNKS > 3u) {
    write(at, chunk.w, sums[4u * i + 3u]);
  }
}
