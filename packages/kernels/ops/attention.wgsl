// out[q] = sum over keys of softmax(scale q . k) v[k], per batch and head; also lse[q] = log sum exp(scale q . k).
//
// Its gradient is in attention_backward.wgsl.
//
// Streaming softmax (Dao et al., arXiv 2205.14135): a workgroup of 8 x 8 threads keeps 32 queries and walks over the
// keys 64 at a time; no matrix of queries x keys is ever in memory. Each thread scores 4 queries x 8 keys in registers,
// shares the probabilities through workgroup memory and accumulates 4 queries x up to 16 channels of the output, every
// eighth vec4. Heads wider than 128 channels are split over workgroups, which repeat the scores.
//
// q, k, v, out are [B, L, H, D] with D a multiple of 4.

const LOWEST = -3.0e38;

var<workgroup> partials: array<f32, 256>; // ROWS * 8

// Four queries of this thread (8 rows apart) x four neighbouring keys, left and right half.
var<private> left: array<vec4f, 4>;
var<private> right: array<vec4f, 4>;
// Running maximum and this thread's share of the running sum, per query.
var<private> maximum: vec4f;
var<private> total: vec4f;

fn key_block(base: u32, first: u32, at: u32) -> mat4x4f {
  let last = params.keys - 1u;
  let step = params.heads * params.width;
  return mat4x4f(
    k[base + min(first, last) * step + at],
    k[base + min(first + 1u, last) * step + at],
    k[base + min(first + 2u, last) * step + at],
    k[base + min(first + 3u, last) * step + at],
  );
}

fn score(i: u32, x: vec4f, keys_left: mat4x4f, keys_right: mat4x4f) {
  left[i] += x * keys_left;
  right[i] += x * keys_right;
}

// Scales, and takes keys beyond the end out of the softmax.
fn mask(s: vec4f, first: u32) -> vec4f {
  let valid = vec4u(first) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.keys);
  return select(vec4f(LOWEST), s * params.scale, valid);
}

fn largest(s: vec4f) -> f32 {
  return max(max(s.x, s.y), max(s.z, s.w));
}

fn row_largest(row: u32) -> f32 {
  let at = row * 8u;
  return max(
    max(max(partials[at], partials[at + 1u]), max(partials[at + 2u], partials[at + 3u])),
    max(max(partials[at + 4u], partials[at + 5u]), max(partials[at + 6u], partials[at + 7u])),
  );
}

fn row_sum(row: u32) -> f32 {
  let at = row * 8u;
  return partials[at] + partials[at + 1u] + partials[at + 2u] + partials[at + 3u] + partials[at + 4u] +
    partials[at + 5u] + partials[at + 6u] + partials[at + 7u];
}

fn publish(i: u32, thread: vec3u) -> f32 {
  let row = thread.y + 8u * i;
  let l = exp(left[i] - maximum[i]);
  let r = exp(right[i] - maximum[i]);
  weights[row * PITCH + thread.x] = l;
  weights[row * PITCH + 8u + thread.x] = r;
  return dot(l + r, vec4f(1.0));
}

// Adds four keys, the vec4s of v at `at`, to chunk c of the four queries.
fn weigh_keys(c: u32, at: vec4u, p: array<vec4f, 4>) {
  weigh(c, v[at.x], v[at.y], v[at.z], v[at.w], p);
}

fn rescale(i: u32, factor: f32) {
  sums[4u * i] *= factor;
  sums[4u * i + 1u] *= factor;
  sums[4u * i + 2u] *= factor;
  sums[4u * i + 3u] *= factor;
}

@compute @workgroup_size(8, 8)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) thread: vec3u) {
  let head = group.y % params.heads;
  let chunk = group.y / params.heads * 32u + thread.x;
  let step = params.heads * params.width;
  let q_base = group.z * params.queries * step + head * params.width;
  let k_base = group.z * params.keys * step + head * params.width;
  let row = group.x * ROWS + thread.y;
  let rows = min(vec4u(row) + vec4u(0u, 8u, 16u, 24u), vec4u(params.queries - 1u));
  let q_at = vec4u(q_base) + rows * step;
  // Channels beyond the head repeat the first and are not stored.
  let channels = select(vec4u(0u), vec4u(chunk) + vec4u(0u, 8u, 16u, 24u), vec4u(chunk) + vec4u(0u, 8u, 16u, 24u) < vec4u(params.width));

  maximum = vec4f(LOWEST);
  total = vec4f(0.0);
  for (var first = 0u; first < params.keys; first += COLUMNS) {
    left = array<vec4f, 4>();
    right = array<vec4f, 4>();
    let l_key = first + thread.x * 4u;
    let r_key = l_key + COLUMNS / 2u;
    for (var d = 0u; d < params.width; d++) {
      let keys_left = key_block(k_base, l_key, d);
      let keys_right = key_block(k_base, r_key, d);
      score(0u, q[q_at.x + d], keys_left, keys_right);
      score(1u, q[q_at.y + d], keys_left, keys_right);
      score(2u, q[q_at.z + d], keys_left, keys_right);
      score(3u, q[q_at.w + d], keys_left, keys_right);
    }
    left = array<vec4f, 4>(mask(left[0], l_key), mask(left[1], l_key), mask(left[2], l_key), mask(left[3], l_key));
    right = array<vec4f, 4>(mask(right[0], r_key), mask(right[1], r_key), mask(right[2], r_key), mask(right[3], r_key));
    partials[thread.y * 8u + thread.x] = largest(max(left[0], right[0]));
    partials[(thread.y + 8u) * 8u + thread.x] = largest(max(left[1], right[1]));
    partials[(thread.y + 16u) * 8u + thread.x] = largest(max(left[2], right[2]));
    partials[(thread.y + 24u) * 8u + thread.x] = largest(max(left[3], right[3]));
    workgroupBarrier();
    let raised = max(
      maximum,
      vec4f(row_largest(thread.y), row_largest(thread.y + 8u), row_largest(thread.y + 16u), row_largest(thread.y + 24u)),
    );
    let factor = exp(maximum - raised);
    maximum = raised;
    total = total * factor + vec4f(publish(0u, thread), publish(1u, thread), publish(2u, thread), publish(3u, thread));
    workgroupBarrier();
    rescale(0u, factor.x);
    rescale(1u, factor.y);
    rescale(2u, factor.z);
    rescale(3u, factor.w);
    let block = min(COLUMNS, params.keys - first);
    for (var j = 0u; j < block; j += 4u) {
      let keys = min(vec4u(first + j) + vec4u(0u, 1u, 2u, 3u), vec4u(params.keys - 1u));
      let at = vec4u(k_base) + keys * step;
      let p = load_weights(thread.y, j);
      weigh_keys(0u, at + channels.x, p);
      if (CHUNKS > 1u) {
        weigh_keys(1u, at + channels.y, p);
      }
      if (CHUNKS > 2u) {
        weigh_keys(2u, at + channels.z, p);
      }
      if (CHUNKS > 3u) {
        weigh_keys(3u, at + channels.w, p);
      }
    }
    workgroupBarrier();
  }

  partials[thread.y * 8u + thread.x] = total.x;
  partials[(thread.y + 8u) * 8u + thread.x] = total.y;
  partials[(thread.y + 16u) * 8u + thread.x] = total.z;
  partials[(thread.y + 24u) * 8u + thread.x] = total.w;
  workgroupBarrier();
  let whole = vec4f(row_sum(thread.y), row_sum(thread.y + 8u), row_sum(thread.y + 16u), row_sum(thread.y + 24u));
  finish(group, row, 0u, q_at.x, chunk, whole.x);
  finish(group, row + 8u, 1u, q_at.y, chunk, whole.y);
  finish(group, row + 16u, 2u, q_at.z, chunk, whole.z);
  finish(group, row + 24u, 3u, q_at.w, chunk, whole.w);
}

fn finish(group: vec3u, row: u32, i: u32, at: u32, chunk: u32, whole: f32) {
  if (row >= params.queries) {
    return;
  }
  if (chunk == 0u) {
    lse[(group.z * params.heads + group.y % params.heads) * params.queries + row] = maximum[i] + log(whole);
  }
  let inverse = 1.0 / whole;
  write(at, chunk, sums[4u * i] * inverse);
  if (CHUNKS > 1u) {
    write(at, chunk + 8u, sums[4u * i + 1u] * inverse);
  }
  if (CHUNKS > 2u) {
    write(at, chunk + 16u, sums[4u * i + 2u] * inverse);
  }
  if (CHUNKS > 3u) {
    write(at, chunk + 24u, sums[4u * i + 3u] * inverse);
  }
}

fn write(at: u32, channel: u32, value: vec4f) {
  if (channel < params.width) {
    out[at + channel] = value;
  }
}
