// out[q] = sum over keys of softmax(scale q . k) v[k], per batch and head; also lse[q] = log sum exp(scale q . k): what
// attention.wgsl computes, for hardware. Its gradient is in attention_backward.wgsl.
//
// Streaming softmax (Dao et al., arXiv 2205.14135) between two products in registers. A workgroup of 16 x 16 threads keeps
// 64 HALVES queries and walks over the keys 64 at a time; a thread has 4 HALVES queries x 4 keys of the scores, 16 apart,
// and the same queries x 4 or 8 channels of the outputs. Both products go 16 steps at a time through lines in workgroup
// memory, whose next content is on its way in registers meanwhile; weights go from one to the other by way of `weights`.
// A step of the scores is 3 reads for 32 multiply-adds, one of the outputs 4 for 64. Heads wider than 128 channels are
// split over workgroups, which repeat the scores. 29 KiB of workgroup memory, 46 KiB with two halves.
//
// q, k, v, out are [B, L, H, D] with D a multiple of 4.

const LOWEST = -3.0e38;

// Running maximum and this thread's share of the running sum, of the queries of each half.
var<private> maximum: array<vec4f, 2>;
var<private> total: array<vec4f, 2>;

// Four channels of four queries, or of four keys 16 apart, a channel a column: what `i` brings of the lines of `chunk`.
fn fetch_block(i: u32, bases: vec2u, starts: vec2u, chunk: u32) -> mat4x4f {
  let j = i % (64u * HALVES);
  let channel = 4u * chunk + j % 4u;
  if (channel >= params.width || i >= 64u * HALVES + 64u) {
    return mat4x4f();
  }
  if (i < 64u * HALVES) {
    let at = tokens(bases.x, starts.x + j / 4u * 4u, 1u, params.queries) + channel;
    return transpose(mat4x4f(q[at.x], q[at.y], q[at.z], q[at.w]));
  }
  let at = tokens(bases.y, starts.y + j / 4u, 16u, params.keys) + channel;
  return transpose(mat4x4f(k[at.x], k[at.y], k[at.z], k[at.w]));
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
  weights[4u * half][x][y] = e[0];
  weights[4u * half + 1u][x][y] = e[1];
  weights[4u * half + 2u][x][y] = e[2];
  weights[4u * half + 3u][x][y] = e[3];
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
  let place = place_of_thread(i);
  x = place.x;
  y = place.y;
  let step = params.heads * params.width;
  let head = group.y % params.heads;
  let part = group.y / params.heads * 32u; // the first channel of this workgroup, in vec4s
  let start = group.x * 64u * HALVES;
  let bases = vec2u(group.z * params.queries, group.z * params.keys) * step + head * params.width;
  let chunks = (params.width + 3u) / 4u;
  maximum = array<vec4f, 2>(vec4f(LOWEST), vec4f(LOWEST));
  var block = fetch_block(i, bases, vec2u(start, 0u), 0u);
  for (var first = 0u; first < params.keys; first += 64u) {
    scores = array<vec4f, 8>();
    for (var chunk = 0u; chunk < chunks; chunk++) {
      workgroupBarrier(); // the lines are done with
      put_block(i, block);
      workgroupBarrier();
      block = fetch_block(i, bases, vec2u(start, first), chunk + 1u);
      score_lines();
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
    let last = min(64u, params.keys - first);
    for (var sixteen = 0u; 16u * sixteen < last; sixteen++) {
      workgroupBarrier();
      lines[i / 32u][i % 32u] = value;
      lines[i / 32u + 8u][i % 32u] = second;
      workgroupBarrier();
      if (16u * sixteen + 16u < last) {
        value = fetch_value(i, bases.y, first + 16u * sixteen + 16u, part + i % 32u);
        second = fetch_value(i, bases.y, first + 16u * sixteen + 24u, part + i % 32u);
      } else {
        block = fetch_block(i, bases, vec2u(start, first + 64u), 0u);
      }
      weigh_lines(sixteen);
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
