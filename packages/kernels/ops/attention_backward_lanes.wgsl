// The gradients of attention, as attention_backward.wgsl says, where a subgroup has 8 lanes, as on llvmpipe, by the plan of
// attention_lanes.wgsl: a workgroup is one subgroup, keeps 32 rows of the gradient and walks over the columns 32 at a time.
// Each lane has four columns for all 32 rows, and of the gradient every eighth vec4 of the channels.
//
// All are [B, L, H, D] with D a multiple of 4; lse and delta are [B, H, Lq].

// vec4s of the gradient per lane and row, 1 to 4.
override CHUNKS: u32 = 4u;
const LOG2_E = 1.4426950408889634;

// Products of a, then what this lane's columns count, and products of b, of row 8 i + j at that index.
var<private> weights: array<vec4f, 32>;
var<private> products: array<vec4f, 32>;
// Of row r, chunk c at 32 c + r.
var<private> sums: array<vec4f, 128>;

fn multiply_a(i: u32, x: vec4f, w: mat4x4f) {
  weights[8u * i] += subgroupShuffle(x, 0u) * w;
  weights[8u * i + 1u] += subgroupShuffle(x, 1u) * w;
  weights[8u * i + 2u] += subgroupShuffle(x, 2u) * w;
  weights[8u * i + 3u] += subgroupShuffle(x, 3u) * w;
  weights[8u * i + 4u] += subgroupShuffle(x, 4u) * w;
  weights[8u * i + 5u] += subgroupShuffle(x, 5u) * w;
  weights[8u * i + 6u] += subgroupShuffle(x, 6u) * w;
  weights[8u * i + 7u] += subgroupShuffle(x, 7u) * w;
}

fn multiply_b(i: u32, x: vec4f, w: mat4x4f) {
  products[8u * i] += subgroupShuffle(x, 0u) * w;
  products[8u * i + 1u] += subgroupShuffle(x, 1u) * w;
  products[8u * i + 2u] += subgroupShuffle(x, 2u) * w;
  products[8u * i + 3u] += subgroupShuffle(x, 3u) * w;
  products[8u * i + 4u] += subgroupShuffle(x, 4u) * w;
  products[8u * i + 5u] += subgroupShuffle(x, 5u) * w;
  products[8u * i + 6u] += subgroupShuffle(x, 6u) * w;
  products[8u * i + 7u] += subgroupShuffle(x, 7u) * w;
}

// lse, as a power of two, and delta of four queries.
struct Offsets {
  lse: vec4f,
  delta: vec4f,
}

fn offsets(base: u32, at: vec4u) -> Offsets {
  let i = base + at;
  var d = vec4f();
  if (!VALUES) {
    d = vec4f(delta[i.x], delta[i.y], delta[i.z], delta[i.w]);
  }
  return Offsets(vec4f(lse[i.x], lse[i.y], lse[i.z], lse[i.w]) * LOG2_E, d);
}

// Row r: `of_row` are its lse and delta if rows are queries; columns that are not there are masked with 0.
fn weigh(r: u32, of_row: vec2f, of_columns: Offsets, valid: vec4f) {
  let p = exp2(params.scale * LOG2_E * weights[r] - select(vec4f(of_row.x), of_columns.lse, BY_KEY)) * valid;
  if (VALUES) {
    weights[r] = p;
  } else {
    weights[r] = p * (products[r] - select(vec4f(of_row.y), of_columns.delta, BY_KEY));
  }
}

fn weigh_eight(i: u32, of_rows: vec2f, of_columns: Offsets, valid: vec4f) {
  weigh(8u * i, subgroupShuffle(of_rows, 0u), of_columns, valid);
  weigh(8u * i + 1u, subgroupShuffle(of_rows, 1u), of_columns, valid);
  weigh(8u * i + 2u, subgroupShuffle(of_rows, 2u), of_columns, valid);
  weigh(8u * i + 3u, subgroupShuffle(of_rows, 3u), of_columns, valid);
  weigh(8u * i + 4u, subgroupShuffle(of_rows, 4u), of_columns, valid);
  weigh(8u * i + 5u, subgroupShuffle(of_rows, 5u), of_columns, valid);
  weigh(8u * i + 6u, subgroupShuffle(of_rows, 6u), of_columns, valid);
  weigh(8u * i + 7u, subgroupShuffle(of_rows, 7u), of_columns, valid);
}

// Adds the four columns of lane j, whose values are the columns of w, to chunk c of eight rows.
fn add_eight(c: u32, i: u32, j: u32, w: mat4x4f) {
  sums[32u * c + 8u * i] += w * subgroupShuffle(weights[8u * i], j);
  sums[32u * c + 8u * i + 1u] += w * subgroupShuffle(weights[8u * i + 1u], j);
  sums[32u * c + 8u * i + 2u] += w * subgroupShuffle(weights[8u * i + 2u], j);
  sums[32u * c + 8u * i + 3u] += w * subgroupShuffle(weights[8u * i + 3u], j);
  sums[32u * c + 8u * i + 4u] += w * subgroupShuffle(weights[8u * i + 4u], j);
  sums[32u * c + 8u * i + 5u] += w * subgroupShuffle(weights[8u * i + 5u], j);
  sums[32u * c + 8u * i + 6u] += w * subgroupShuffle(weights[8u * i + 6u], j);
  sums[32u * c + 8u * i + 7u] += w * subgroupShuffle(weights[8u * i + 7u], j);
}

fn block_a(at: vec4u) -> mat4x4f {
  return mat4x4f(columns_a[at.x], columns_a[at.y], columns_a[at.z], columns_a[at.w]);
}

fn block_b(at: vec4u) -> mat4x4f {
  return mat4x4f(columns_b[at.x], columns_b[at.y], columns_b[at.z], columns_b[at.w]);
}

fn add(c: u32, j: u32, at: vec4u) {
  var w = mat4x4f();
  if (VALUES) {
    w = block_b(at);
  } else {
    w = block_a(at);
  }
  add_eight(c, 0u, j, w);
  add_eight(c, 1u, j, w);
  add_eight(c, 2u, j, w);
  add_eight(c, 3u, j, w);
}

@compute @workgroup_size(8)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let head = group.y % params.heads;
  let step = params.heads * params.width;
  let base = group.z * params.columns * step + head * params.width;
  let line = (group.z * params.heads + head) * select(params.rows, params.columns, BY_KEY);
  let rows = min(vec4u(group.x * 32u + lane) + vec4u(0u, 8u, 16u, 24u), vec4u(params.rows - 1u));
  let row_at = (group.z * params.rows + rows) * step + head * params.width;
  // Channels beyond the head repeat the first and are not stored.
  let chunk = vec4u(group.y / params.heads * 32u + lane) + vec4u(0u, 8u, 16u, 24u);
  let channels = select(vec4u(), chunk, chunk < vec4u(params.width));
  let last = vec4u(params.columns - 1u);
  var of_rows = Offsets();
  if (!BY_KEY) {
    of_rows = offsets(line, rows);
  }

  for (var block = 0u; block < params.columns; block += 32u) {
    let own = vec4u(block + 4u * lane) + vec4u(0u, 1u, 2u, 3u);
    let columns = min(own, last);
    let at = base + columns * step;
    weights = array<vec4f, 32>();
    products = array<vec4f, 32>();
    for (var d = 0u; d < params.width; d++) {
      let a = block_a(at + d);
      multiply_a(0u, rows_a[row_at.x + d], a);
      multiply_a(1u, rows_a[row_at.y + d], a);
      multiply_a(2u, rows_a[row_at.z + d], a);
      multiply_a(3u, rows_a[row_at.w + d], a);
      if (!VALUES) {
        let b = block_b(at + d);
        multiply_b(0u, rows_b[row_at.x + d], b);
        multiply_b(1u, rows_b[row_at.y + d], b);
        multiply_b(2u, rows_b[row_at.z + d], b);
        multiply_b(3u, rows_b[row_at.w + d], b);
      }
    }
    var of_columns = Offsets();
    if (BY_KEY) {
      of_columns = offsets(line, columns);
    }
    let valid = select(vec4f(), vec4f(1.0), own < vec4u(params.columns));
    weigh_eight(0u, vec2f(of_rows.lse.x, of_rows.delta.x), of_columns, valid);
    weigh_eight(1u, vec2f(of_rows.lse.y, of_rows.delta.y), of_columns, valid);
    weigh_eight(2u, vec2f(of_rows.lse.z, of_rows.delta.z), of_columns, valid);
    weigh_eight(3u, vec2f(of_rows.lse.w, of_rows.delta.w), of_columns, valid);
    for (var j = 0u; j < 8u; j++) {
      let theirs = base + min(vec4u(block + 4u * j) + vec4u(0u, 1u, 2u, 3u), last) * step;
      add(0u, j, theirs + channels.x);
      if (CHUNKS > 1u) {
        add(1u, j, theirs + channels.y);
      }
      if (CHUNKS > 2u) {
        add(2u, j, theirs + channels.z);
      }
      if (CHUNKS > 3u) {
        add(3u, j, theirs + channels.w);
      }
    }
  }
  finish_eight(group, 0u, chunk);
  finish_eight(group, 1u, chunk);
  finish_eight(group, 2u, chunk);
  finish_eight(group, 3u, chunk);
}

fn finish(group: vec3u, r: u32, chunk: vec4u) {
  let row = group.x * 32u + r;
  if (row < params.rows) {
    let at = ((group.z * params.rows + row) * params.heads + group.y % params.heads) * params.width;
    write(at, chunk.x, sums[r]);
    if (CHUNKS > 1u) {
      write(at, chunk.y, sums[32u + r]);
    }
    if (CHUNKS > 2u) {
      write(at, chunk.z, sums[64u + r]);
    }
    if (CHUNKS > 3u) {
      write(at, chunk.w, sums[96u + r]);
    }
  }
}

fn finish_eight(group: vec3u, i: u32, chunk: vec4u) {
  finish(group, 8u * i, chunk);
  finish(group, 8u * i + 1u, chunk);
  finish(group, 8u * i + 2u, chunk);
  finish(group, 8u * i + 3u, chunk);
  finish(group, 8u * i + 4u, chunk);
  finish(group, 8u * i + 5u, chunk);
  finish(group, 8u * i + 6u, chunk);
  finish(group, 8u * i + 7u, chunk);
}
