// out[q] = sum over keys of softmax(scale q . k) v[k], per batch and head; also lse[q] = log sum exp(scale q . k): what
// attention.wgsl computes, for hardware. Its gradient is in attention_backward.wgsl.
//
// Streaming softmax (Dao et al., arXiv 2205.14135) between two products in registers. A workgroup of 16 x 16 threads keeps
// 64 HALVES queries and walks over the keys 64 at a time; a thread has 4 HALVES queries x 4 keys of the scores, 16 apart,
// and the same queries x 4 or 8 channels of the outputs. Both products go 16 steps at a time through lines in workgroup
// memory, whose next content is on its way in registers meanwhile; weights go from one to the other by way of `weights`.
// A step of the scores is 3 reads for 32 multiply-adds, one of the outputs 4 for 64. Heads wider than 128 channels are
// split over workgroups, which repeat the scores. 30 KiB of workgroup memory, 46 KiB with two halves.
//
// q, k, v, out are [B, L, H, D] with D a multiple of 4.

// Whether a head has more than 64 channels: a thread then has two vec4s of the output of a query.
override WIDE: bool = true;

const LOWEST = -3.0e38;
const KEYS = 64u;
// vec4s of a key, four queries each; one more, so that neighbouring keys begin at neighbouring banks.
override PITCH = 16u * HALVES + 1u;

var<workgroup> weights: array<vec4f, KEYS * PITCH>; // [key, query]

// Row r of the thread: query 4 y + r, or 64 + 4 y + r - 4 in the second half; columns are keys x, x + 16, x + 32, x + 48.
var<private> scores: array<vec4f, 8>;
// Elements 2 r and 2 r + 1: channels 4 x .. 4 x + 3, and those 64 further.
var<private> sums: array<vec4f, 16>;
// Running maximum and this thread's share of the running sum, of the queries of each half.
var<private> maximum: array<vec4f, 2>;
var<private> total: array<vec4f, 2>;
// Column and row of the thread: eight by four neighbours read few different words, and are told apart from others late.
var<private> x: u32;
var<private> y: u32;

// Where a token begins that is one of `count`; the last stands in beyond the end.
fn token(base: u32, at: u32, count: u32) -> u32 {
  return base + min(at, count - 1u) * params.heads * params.width;
}

// Four channels of four queries, or of four keys 16 apart, a channel a column: what `i` brings of the lines of `chunk`.
fn fetch_block(i: u32, bases: vec2u, starts: vec2u, chunk: u32) -> mat4x4f {
  let j = i % (64u * HALVES);
  let channel = 4u * chunk + j % 4u;
  let four = j / 4u;
  if (channel >= params.width || i >= 64u * HALVES + 64u) {
    return mat4x4f();
  }
  if (i < 64u * HALVES) {
    let row = starts.x + 4u * four;
    return transpose(mat4x4f(
      q[token(bases.x, row, params.queries) + channel],
      q[token(bases.x, row + 1u, params.queries) + channel],
      q[token(bases.x, row + 2u, params.queries) + channel],
      q[token(bases.x, row + 3u, params.queries) + channel],
    ));
  }
  let key = starts.y + four;
  return transpose(mat4x4f(
    k[token(bases.y, key, params.keys) + channel],
    k[token(bases.y, key + 16u, params.keys) + channel],
    k[token(bases.y, key + 32u, params.keys) + channel],
    k[token(bases.y, key + 48u, params.keys) + channel],
  ));
}

fn score_four(r: u32, queries: vec4f, keys: vec4f) {
  scores[r] += queries.x * keys;
  scores[r + 1u] += queries.y * keys;
  scores[r + 2u] += queries.z * keys;
  scores[r + 3u] += queries.w * keys;
}

fn score_step(line: u32) {
  let keys = k_lines[line][place(line, x)];
  let row = place(line, y);
  score_four(0u, lines[line][row], keys);
  if (HALVES > 1u) {
    score_four(4u, lines[line][16u + row], keys);
  }
}

fn weigh_four(r: u32, four: vec4f, left: vec4f, right: vec4f) {
  sums[2u * r] += four.x * left;
  sums[2u * r + 2u] += four.y * left;
  sums[2u * r + 4u] += four.z * left;
  sums[2u * r + 6u] += four.w * left;
  if (WIDE) {
    sums[2u * r + 1u] += four.x * right;
    sums[2u * r + 3u] += four.y * right;
    sums[2u * r + 5u] += four.z * right;
    sums[2u * r + 7u] += four.w * right;
  }
}

// Adds the key of line `line`, which is `key` of the block.
fn weigh_step(line: u32, key: u32) {
  let left = lines[line][x];
  let right = lines[line][16u + x];
  weigh_four(0u, weights[key * PITCH + y], left, right);
  if (HALVES > 1u) {
    weigh_four(4u, weights[key * PITCH + 16u + y], left, right);
  }
}

fn larger(a: vec4f, line: u32, column: u32) -> vec4f {
  return max(max(a, lines[line][column]), max(lines[line + 1u][column], max(lines[line + 2u][column], lines[line + 3u][column])));
}

fn largest(s: vec4f) -> f32 {
  return max(max(s.x, s.y), max(s.z, s.w));
}

// The scores of row r, scaled; keys beyond the end count nothing.
fn mask(r: u32, first: u32) {
  let valid = vec4u(first + x) + vec4u(0u, 16u, 32u, 48u) < vec4u(params.keys);
  scores[r] = select(vec4f(LOWEST), params.scale * scores[r], valid);
}

fn mask_half(half: u32, first: u32) {
  let r = 4u * half;
  mask(r, first);
  mask(r + 1u, first);
  mask(r + 2u, first);
  mask(r + 3u, first);
  lines[x][16u * half + y] = vec4f(largest(scores[r]), largest(scores[r + 1u]), largest(scores[r + 2u]), largest(scores[r + 3u]));
}

fn rescale(r: u32, factor: f32) {
  sums[2u * r] *= factor;
  sums[2u * r + 1u] *= factor;
}

// Raises the maxima, makes scores weights and tells all threads.
fn weigh_half(half: u32) {
  let r = 4u * half;
  let column = 16u * half + y;
  let raised = larger(larger(larger(larger(maximum[half], 0u, column), 4u, column), 8u, column), 12u, column);
  let factor = exp(maximum[half] - raised);
  maximum[half] = raised;
  rescale(r, factor.x);
  rescale(r + 1u, factor.y);
  rescale(r + 2u, factor.z);
  rescale(r + 3u, factor.w);
  // A column is a key.
  let e = transpose(mat4x4f(
    exp(scores[r] - raised.x),
    exp(scores[r + 1u] - raised.y),
    exp(scores[r + 2u] - raised.z),
    exp(scores[r + 3u] - raised.w),
  ));
  total[half] = total[half] * factor + ((e[0] + e[1]) + (e[2] + e[3]));
  weights[x * PITCH + column] = e[0];
  weights[(x + 16u) * PITCH + column] = e[1];
  weights[(x + 32u) * PITCH + column] = e[2];
  weights[(x + 48u) * PITCH + column] = e[3];
}

fn sum_of_four(line: u32, column: u32) -> vec4f {
  return (lines[line][column] + lines[line + 1u][column]) + (lines[line + 2u][column] + lines[line + 3u][column]);
}

// Four channels of a key of the part from `first` on: what thread `i` brings, and in `second` of the key 8 further.
fn fetch_value(i: u32, base: u32, first: u32, channel: u32) -> vec4f {
  if (channel >= params.width || (!WIDE && i % 32u >= 16u)) {
    return vec4f();
  }
  return v[token(base, first + i / 32u, params.keys) + channel];
}

@compute @workgroup_size(256)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) i: u32) {
  x = i / 32u % 2u * 8u + i % 8u;
  y = i / 64u * 4u + i / 8u % 4u;
  let step = params.heads * params.width;
  let head = group.y % params.heads;
  let part = group.y / params.heads * 32u; // the first channel of this workgroup, in vec4s
  let start = group.x * 64u * HALVES;
  let bases = vec2u(group.z * params.queries, group.z * params.keys) * step + head * params.width;
  let chunks = (params.width + 3u) / 4u;
  maximum = array<vec4f, 2>(vec4f(LOWEST), vec4f(LOWEST));
  var block = fetch_block(i, bases, vec2u(start, 0u), 0u);
  for (var first = 0u; first < params.keys; first += KEYS) {
    scores = array<vec4f, 8>();
    for (var chunk = 0u; chunk < chunks; chunk++) {
      workgroupBarrier(); // the lines are done with
      put_block(i, block);
      workgroupBarrier();
      block = fetch_block(i, bases, vec2u(start, first), chunk + 1u);
      score_step(0u); score_step(1u); score_step(2u); score_step(3u);
      score_step(4u); score_step(5u); score_step(6u); score_step(7u);
      score_step(8u); score_step(9u); score_step(10u); score_step(11u);
      score_step(12u); score_step(13u); score_step(14u); score_step(15u);
    }
    var value = fetch_value(i, bases.y, first, part + i % 32u);
    var second = fetch_value(i, bases.y, first + 8u, part + i % 32u);
    workgroupBarrier();
    mask_half(0u, first);
    if (HALVES > 1u) {
      mask_half(1u, first);
    }
    workgroupBarrier();
    weigh_half(0u);
    if (HALVES > 1u) {
      weigh_half(1u);
    }
    let last = min(KEYS, params.keys - first);
    for (var key = 0u; key < last; key += 16u) {
      workgroupBarrier();
      lines[i / 32u][i % 32u] = value;
      lines[i / 32u + 8u][i % 32u] = second;
      workgroupBarrier();
      if (key + 16u < last) {
        value = fetch_value(i, bases.y, first + key + 16u, part + i % 32u);
        second = fetch_value(i, bases.y, first + key + 24u, part + i % 32u);
      } else {
        block = fetch_block(i, bases, vec2u(start, first + KEYS), 0u);
      }
      weigh_step(0u, key); weigh_step(1u, key + 1u); weigh_step(2u, key + 2u); weigh_step(3u, key + 3u);
      weigh_step(4u, key + 4u); weigh_step(5u, key + 5u); weigh_step(6u, key + 6u); weigh_step(7u, key + 7u);
      weigh_step(8u, key + 8u); weigh_step(9u, key + 9u); weigh_step(10u, key + 10u); weigh_step(11u, key + 11u);
      weigh_step(12u, key + 12u); weigh_step(13u, key + 13u); weigh_step(14u, key + 14u); weigh_step(15u, key + 15u);
    }
  }
  workgroupBarrier();
  lines[x][y] = total[0];
  lines[x][16u + y] = total[1];
  workgroupBarrier();
  finish_half(0u, start, bases.x, vec3u(head, part, group.z));
  if (HALVES > 1u) {
    finish_half(1u, start, bases.x, vec3u(head, part, group.z));
  }
}

// What is written of the queries of a half; `place`: head, the first channel, batch.
fn finish_half(half: u32, start: u32, base: u32, place: vec3u) {
  let column = 16u * half + y;
  let whole = (sum_of_four(0u, column) + sum_of_four(4u, column)) + (sum_of_four(8u, column) + sum_of_four(12u, column));
  let query = start + 64u * half + 4u * y;
  let r = 4u * half;
  finish(r, query, base, place, vec2f(maximum[half].x, whole.x));
  finish(r + 1u, query + 1u, base, place, vec2f(maximum[half].y, whole.y));
  finish(r + 2u, query + 2u, base, place, vec2f(maximum[half].z, whole.z));
  finish(r + 3u, query + 3u, base, place, vec2f(maximum[half].w, whole.w));
}

// `sum`: the largest score and the sum of the weights relative to it.
fn finish(r: u32, query: u32, base: u32, place: vec3u, sum: vec2f) {
  if (query >= params.queries) {
    return;
  }
  if (x == 0u && place.y == 0u) {
    lse[(place.z * params.heads + place.x) * params.queries + query] = sum.x + log(sum.y);
  }
  let at = base + query * params.heads * params.width;
  let inverse = 1.0 / sum.y;
  write(at, place.y + x, sums[2u * r] * inverse);
  if (WIDE) {
    write(at, place.y + 16u + x, sums[2u * r + 1u] * inverse);
  }
}

fn write(at: u32, channel: u32, value: vec4f) {
  if (channel < params.width) {
    out[at + channel] = value;
  }
}
