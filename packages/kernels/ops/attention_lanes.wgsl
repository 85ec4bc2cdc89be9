// out[q] = sum over keys of softmax(scale q . k) v[k], per batch and head; also lse[q] = log sum exp(scale q . k): the
// kernel of attention.wgsl where a subgroup has 8 lanes, as on llvmpipe, by the plan of _product_lanes.wgsl.
//
// Streaming softmax (Dao et al., arXiv 2205.14135): a workgroup is one subgroup, keeps 32 queries and walks over the keys
// 32 at a time. Scores are a product whose columns are keys: each lane has four of them for all 32 queries, and its own
// maxima and sums; the shuffles make the maximum of a row common. The output is a product whose columns are channels: a
// lane has every eighth vec4 of a head, up to four, and takes the probabilities of eight lanes in turn. Nothing is in
// workgroup memory. Heads wider than 128 channels are split over workgroups, which repeat the scores.
//
// exp(x) is 2^(x log2 e), with the factor in the scale. q, k, v, out are [B, L, H, D] with D a multiple of 4.

// vec4s of the output per lane and query, 1 to 4.
override CHUNKS: u32 = 4u;

const LOWEST = -3.0e38;
const LOG2_E = 1.4426950408889634;
const LN_2 = 0.6931471805599453;

// Of query 8 i + j, at that index: scores, then probabilities, of this lane's keys; maximum of all lanes; sum of this lane.
var<private> scores: array<vec4f, 32>;
var<private> maxima: array<f32, 32>;
var<private> totals: array<f32, 32>;
// Of query r, chunk c at 32 c + r.
var<private> sums: array<vec4f, 128>;

fn score_eight(i: u32, x: vec4f, w: mat4x4f) {
  scores[8u * i] += subgroupShuffle(x, 0u) * w;
  scores[8u * i + 1u] += subgroupShuffle(x, 1u) * w;
  scores[8u * i + 2u] += subgroupShuffle(x, 2u) * w;
  scores[8u * i + 3u] += subgroupShuffle(x, 3u) * w;
  scores[8u * i + 4u] += subgroupShuffle(x, 4u) * w;
  scores[8u * i + 5u] += subgroupShuffle(x, 5u) * w;
  scores[8u * i + 6u] += subgroupShuffle(x, 6u) * w;
  scores[8u * i + 7u] += subgroupShuffle(x, 7u) * w;
}

// The largest of all lanes.
fn largest(x: vec4f) -> f32 {
  var most = max(max(x.x, x.y), max(x.z, x.w));
  most = max(most, subgroupShuffleXor(most, 1u));
  most = max(most, subgroupShuffleXor(most, 2u));
  return max(most, subgroupShuffleXor(most, 4u));
}

// Scores become probabilities relative to the maximum so far; what was added up for a lower one shrinks.
fn soften(r: u32, scale: f32, masked: vec4f) {
  let scaled = scores[r] * scale + masked;
  let raised = max(maxima[r], largest(scaled));
  let factor = exp2(maxima[r] - raised);
  let p = exp2(scaled - raised);
  maxima[r] = raised;
  totals[r] = totals[r] * factor + (p.x + p.y + p.z + p.w);
  scores[r] = p;
  sums[r] *= factor;
  if (CHUNKS > 1u) {
    sums[32u + r] *= factor;
  }
  if (CHUNKS > 2u) {
    sums[64u + r] *= factor;
  }
  if (CHUNKS > 3u) {
    sums[96u + r] *= factor;
  }
}

fn soften_eight(i: u32, scale: f32, masked: vec4f) {
  soften(8u * i, scale, masked);
  soften(8u * i + 1u, scale, masked);
  soften(8u * i + 2u, scale, masked);
  soften(8u * i + 3u, scale, masked);
  soften(8u * i + 4u, scale, masked);
  soften(8u * i + 5u, scale, masked);
  soften(8u * i + 6u, scale, masked);
  soften(8u * i + 7u, scale, masked);
}

// Adds the four keys of lane j, whose values are the columns of w, to chunk c of eight queries.
fn weigh_eight(c: u32, i: u32, j: u32, w: mat4x4f) {
  sums[32u * c + 8u * i] += w * subgroupShuffle(scores[8u * i], j);
  sums[32u * c + 8u * i + 1u] += w * subgroupShuffle(scores[8u * i + 1u], j);
  sums[32u * c + 8u * i + 2u] += w * subgroupShuffle(scores[8u * i + 2u], j);
  sums[32u * c + 8u * i + 3u] += w * subgroupShuffle(scores[8u * i + 3u], j);
  sums[32u * c + 8u * i + 4u] += w * subgroupShuffle(scores[8u * i + 4u], j);
  sums[32u * c + 8u * i + 5u] += w * subgroupShuffle(scores[8u * i + 5u], j);
  sums[32u * c + 8u * i + 6u] += w * subgroupShuffle(scores[8u * i + 6u], j);
  sums[32u * c + 8u * i + 7u] += w * subgroupShuffle(scores[8u * i + 7u], j);
}

fn weigh(c: u32, j: u32, at: vec4u) {
  let w = mat4x4f(v[at.x], v[at.y], v[at.z], v[at.w]);
  weigh_eight(c, 0u, j, w);
  weigh_eight(c, 1u, j, w);
  weigh_eight(c, 2u, j, w);
  weigh_eight(c, 3u, j, w);
}

@compute @workgroup_size(8)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let head = group.y % params.heads;
  let step = params.heads * params.width;
  let first = group.x * 32u;
  let queries = min(vec4u(first + lane) + vec4u(0u, 8u, 16u, 24u), vec4u(params.queries - 1u));
  let q_at = (vec4u(group.z * params.queries) + queries) * step + head * params.width;
  let k_base = group.z * params.keys * step + head * params.width;
  // Channels beyond the head repeat the first and are not stored.
  let chunk = group.y / params.heads * 32u + lane;
  let wanted = vec4u(chunk) + vec4u(0u, 8u, 16u, 24u);
  let channels = select(vec4u(), wanted, wanted < vec4u(params.width));
  let scale = params.scale * LOG2_E;
  lower_all();
  for (var block = 0u; block < params.keys; block += 32u) {
    let keys = vec4u(block + 4u * lane) + vec4u(0u, 1u, 2u, 3u);
    let k_at = k_base + min(keys, vec4u(params.keys - 1u)) * step;
    scores = array<vec4f, 32>();
    for (var d = 0u; d < params.width; d++) {
      let w = mat4x4f(k[k_at.x + d], k[k_at.y + d], k[k_at.z + d], k[k_at.w + d]);
      score_eight(0u, q[q_at.x + d], w);
      score_eight(1u, q[q_at.y + d], w);
      score_eight(2u, q[q_at.z + d], w);
      score_eight(3u, q[q_at.w + d], w);
    }
    let masked = select(vec4f(LOWEST), vec4f(), keys < vec4u(params.keys));
    soften_eight(0u, scale, masked);
    soften_eight(1u, scale, masked);
    soften_eight(2u, scale, masked);
    soften_eight(3u, scale, masked);
    for (var j = 0u; j < 8u; j++) {
      let rows = min(vec4u(block + 4u * j) + vec4u(0u, 1u, 2u, 3u), vec4u(params.keys - 1u));
      let v_at = k_base + rows * step;
      weigh(0u, j, v_at + channels.x);
      if (CHUNKS > 1u) {
        weigh(1u, j, v_at + channels.y);
      }
      if (CHUNKS > 2u) {
        weigh(2u, j, v_at + channels.z);
      }
      if (CHUNKS > 3u) {
        weigh(3u, j, v_at + channels.w);
      }
    }
  }
  finish_eight(group, 0u, chunk, lane);
  finish_eight(group, 1u, chunk, lane);
  finish_eight(group, 2u, chunk, lane);
  finish_eight(group, 3u, chunk, lane);
}

fn lower(i: u32) {
  maxima[i] = LOWEST;
  maxima[i + 1u] = LOWEST;
  maxima[i + 2u] = LOWEST;
  maxima[i + 3u] = LOWEST;
}

fn lower_all() {
  lower(0u);
  lower(4u);
  lower(8u);
  lower(12u);
  lower(16u);
  lower(20u);
  lower(24u);
  lower(28u);
}

fn write(at: u32, channel: u32, value: vec4f) {
  if (channel < params.width) {
    out[at + channel] = value;
  }
}

// Writes query r and returns its log-sum-exp.
fn finish(group: vec3u, r: u32, chunk: u32) -> f32 {
  var total = totals[r];
  total += subgroupShuffleXor(total, 1u);
  total += subgroupShuffleXor(total, 2u);
  total += subgroupShuffleXor(total, 4u);
  let query = group.x * 32u + r;
  if (query < params.queries) {
    let row = (group.z * params.queries + query) * params.heads + group.y % params.heads;
    let inverse = 1.0 / total;
    write(row * params.width, chunk, sums[r] * inverse);
    if (CHUNKS > 1u) {
      write(row * params.width, chunk + 8u, sums[32u + r] * inverse);
    }
    if (CHUNKS > 2u) {
      write(row * params.width, chunk + 16u, sums[64u + r] * inverse);
    }
    if (CHUNKS > 3u) {
      write(row * params.width, chunk + 24u, sums[96u + r] * inverse);
    }
  }
  return (maxima[r] + log2(total)) * LN_2;
}

// Each lane writes the log-sum-exp of one of eight queries.
fn finish_eight(group: vec3u, i: u32, chunk: u32, lane: u32) {
  let low = vec4f(
    finish(group, 8u * i, chunk),
    finish(group, 8u * i + 1u, chunk),
    finish(group, 8u * i + 2u, chunk),
    finish(group, 8u * i + 3u, chunk),
  );
  let high = vec4f(
    finish(group, 8u * i + 4u, chunk),
    finish(group, 8u * i + 5u, chunk),
    finish(group, 8u * i + 6u, chunk),
    finish(group, 8u * i + 7u, chunk),
  );
  let mine = select(low, high, lane >= 4u);
  let query = group.x * 32u + 8u * i + lane;
  if (query < params.queries && group.y < params.heads) {
    let even = select(mine.x, mine.z, (lane & 2u) != 0u);
    let odd = select(mine.y, mine.w, (lane & 2u) != 0u);
    let at = (group.z * params.heads + group.y) * params.queries + query;
    lse[at] = select(even, odd, (lane & 1u) != 0u);
  }
}
