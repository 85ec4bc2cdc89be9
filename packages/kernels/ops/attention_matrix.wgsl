// out[q] = sum over keys of softmax(scale q . k) v[k], per batch and head; also lse[q] = log sum exp(scale q . k): what
// attention.wgsl computes, by matrix units (tensor cores). Its gradient is in attention_backward.wgsl.
//
// Streaming softmax (Dao et al., arXiv 2205.14135): a workgroup of four subgroups keeps 4 UNIT_M queries, a subgroup UNIT_M
// of them, as matrices in registers, and walks over the keys KEYS at a time. Scores go to workgroup memory, weights come back
// as f16. Outputs are matrices in registers too, which cannot be scaled row by row; so weights are relative to a maximum that
// lags behind the largest score by SLACK at most, and only when one is larger than that do the outputs take the way through
// workgroup memory: seldom after the first keys.
//
// Matrices are told apart by indices that are literal where functions are called: computed ones would send them to
// memory, and Mesa's driver for NVIDIA ends the process. Channels of a head are a multiple of 16, up to 128: 32 KiB of
// workgroup memory with units of 16.

// Four subgroups.
override THREADS: u32 = 128u;
// Channels of a head.
override WIDTH: u32 = 128u;

const QUERIES = 4u * UNIT_M;
const KEYS = 32u;
const LOWEST = -3.0e38;
// exp(SLACK) = 2981: weights stay within f16, their sums within f32.
const SLACK = 8.0;
// vec4s of a row, padded so that the next begins at another bank.
override TOKEN_PITCH = WIDTH / 4u + 2u;
const SCORE_PITCH = KEYS / 4u + 1u;
const WEIGHT_PITCH = KEYS / 4u + 2u;

var<workgroup> tokens: array<vec4<f16>, 2u * KEYS * TOKEN_PITCH>; // queries first; then KEYS keys and KEYS values
var<workgroup> scores: array<vec4f, QUERIES * SCORE_PITCH>; // [query, key]; also outputs on their way, [query, channel]
var<workgroup> weights: array<vec4<f16>, QUERIES * WEIGHT_PITCH>; // [query, key]
var<workgroup> factors: array<f32, QUERIES>;
var<workgroup> rising: array<u32, 4>; // how many maxima of each subgroup lag too far behind

alias Queries = array<Left, 128u / UNIT_K>;
alias Sums = array<Sum, 128u / UNIT_N>;

// Neighbouring threads that share a query between the products.
override TEAM = THREADS / QUERIES;

// Tokens to row `to` of `tokens` and on: of `range`, the first, how many, and how many there are in all; the last stands in
// beyond the end.
fn bring(source: ptr<storage, array<vec4f>, read>, base: u32, range: vec3u, to: u32, index: u32) {
  let step = params.heads * params.width;
  for (var i = index; i < range.y * (WIDTH / 4u); i += THREADS) {
    let at = vec2u(i / (WIDTH / 4u), i % (WIDTH / 4u));
    let token = min(range.x + at.x, range.z - 1u);
    tokens[(to + at.x) * TOKEN_PITCH + at.y] = half_of(source[base + token * step + at.y]);
  }
}

// The i-th UNIT_K channels of a subgroup's queries.
fn load_unit(i: u32, first: u32, queries: ptr<function, Queries>) {
  if (i * UNIT_K < WIDTH) {
    queries[i] = subgroupMatrixLoad<Left, row_major>(&tokens, first * TOKEN_PITCH + i * UNIT_K / 4u, TOKEN_PITCH);
  }
}

fn load_four(i: u32, first: u32, queries: ptr<function, Queries>) {
  load_unit(i, first, queries);
  load_unit(i + 1u, first, queries);
  load_unit(i + 2u, first, queries);
  load_unit(i + 3u, first, queries);
}

// Adds the i-th UNIT_K channels to the scores of a subgroup's queries and of the keys from row n on.
fn score_unit(i: u32, n: u32, queries: ptr<function, Queries>, sum: Sum) -> Sum {
  if (i * UNIT_K >= WIDTH) {
    return sum;
  }
  let keys = subgroupMatrixLoad<Right, col_major>(&tokens, n * TOKEN_PITCH + i * UNIT_K / 4u, TOKEN_PITCH);
  return subgroupMatrixMultiplyAccumulate(queries[i], keys, sum);
}

fn score_four(i: u32, n: u32, queries: ptr<function, Queries>, sum: Sum) -> Sum {
  let two = score_unit(i + 1u, n, queries, score_unit(i, n, queries, sum));
  return score_unit(i + 3u, n, queries, score_unit(i + 2u, n, queries, two));
}

// Scores of the queries of a subgroup and the keys in `tokens`, to `scores`.
fn score(first: u32, queries: ptr<function, Queries>) {
  for (var n = 0u; n < KEYS; n += UNIT_N) {
    let half = score_four(4u, n, queries, score_four(0u, n, queries, Sum()));
    let sum = score_four(12u, n, queries, score_four(8u, n, queries, half));
    subgroupMatrixStore<row_major>(&scores, first * SCORE_PITCH + n / 4u, sum, SCORE_PITCH);
  }
}

// Four scores, of keys from `key` on; keys beyond the end count nothing.
fn scores_of(row: u32, four: u32, key: u32) -> vec4f {
  let valid = vec4u(key + 4u * four) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.keys);
  return select(vec4f(LOWEST), params.scale * scores[row * SCORE_PITCH + four], valid);
}

// Adds the values from row j on, weighted, to the d-th UNIT_N channels of the outputs.
fn weigh_unit(d: u32, j: u32, left: Left, sums: ptr<function, Sums>) {
  if (d * UNIT_N < WIDTH) {
    let values = subgroupMatrixLoad<Right, row_major>(&tokens, (KEYS + j) * TOKEN_PITCH + d * UNIT_N / 4u, TOKEN_PITCH);
    sums[d] = subgroupMatrixMultiplyAccumulate(left, values, sums[d]);
  }
}

fn weigh_four(d: u32, j: u32, left: Left, sums: ptr<function, Sums>) {
  weigh_unit(d, j, left, sums);
  weigh_unit(d + 1u, j, left, sums);
  weigh_unit(d + 2u, j, left, sums);
  weigh_unit(d + 3u, j, left, sums);
}

// Multiplies the d-th channels of each query's outputs by the query's factor.
fn rescale_unit(d: u32, first: u32, lane: u32, sums: ptr<function, Sums>) {
  if (d * UNIT_N >= WIDTH) {
    return;
  }
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&scores, first * SCORE_PITCH, sums[d], SCORE_PITCH);
  workgroupBarrier();
  for (var e = lane; e < UNIT_M * UNIT_N / 4u; e += THREADS / 4u) {
    let query = first + e / (UNIT_N / 4u);
    scores[query * SCORE_PITCH + e % (UNIT_N / 4u)] *= factors[query];
  }
  workgroupBarrier();
  sums[d] = subgroupMatrixLoad<Sum, row_major>(&scores, first * SCORE_PITCH, SCORE_PITCH);
}

fn rescale_four(d: u32, first: u32, lane: u32, sums: ptr<function, Sums>) {
  rescale_unit(d, first, lane, sums);
  rescale_unit(d + 1u, first, lane, sums);
  rescale_unit(d + 2u, first, lane, sums);
  rescale_unit(d + 3u, first, lane, sums);
}

// Writes the d-th channels of the outputs of the queries from `start` on, over the sums of their weights.
fn finish_unit(d: u32, first: u32, lane: u32, sums: ptr<function, Sums>, start: u32, base: u32) {
  if (d * UNIT_N >= WIDTH) {
    return;
  }
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&scores, first * SCORE_PITCH, sums[d], SCORE_PITCH);
  workgroupBarrier();
  for (var e = lane; e < UNIT_M * UNIT_N / 4u; e += THREADS / 4u) {
    let query = first + e / (UNIT_N / 4u);
    let four = e % (UNIT_N / 4u);
    if (start + query < params.queries) {
      let at = base + (start + query) * params.heads * params.width + d * UNIT_N / 4u + four;
      out[at] = factors[query] * scores[query * SCORE_PITCH + four];
    }
  }
}

fn finish_four(d: u32, first: u32, lane: u32, sums: ptr<function, Sums>, start: u32, base: u32) {
  finish_unit(d, first, lane, sums, start, base);
  finish_unit(d + 1u, first, lane, sums, start, base);
  finish_unit(d + 2u, first, lane, sums, start, base);
  finish_unit(d + 3u, first, lane, sums, start, base);
}

@compute @workgroup_size(THREADS)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let step = params.heads * params.width;
  let start = group.x * QUERIES;
  let q_base = group.z * params.queries * step + group.y * params.width;
  let k_base = group.z * params.keys * step + group.y * params.width;
  let first = subgroup * UNIT_M;
  let row = first + lane / TEAM;
  let member = lane % TEAM;

  bring(&q, q_base, vec3u(start, QUERIES, params.queries), 0u, index);
  workgroupBarrier();
  var queries: Queries;
  load_four(0u, first, &queries);
  load_four(4u, first, &queries);
  load_four(8u, first, &queries);
  load_four(12u, first, &queries);

  var sums: Sums;
  var maximum = LOWEST;
  var total = 0.0; // this thread's share
  for (var key = 0u; key < params.keys; key += KEYS) {
    workgroupBarrier(); // tokens are done with
    bring(&k, k_base, vec3u(key, KEYS, params.keys), 0u, index);
    bring(&v, k_base, vec3u(key, KEYS, params.keys), KEYS, index);
    workgroupBarrier();
    score(first, &queries);
    workgroupBarrier();
    var largest = LOWEST;
    for (var four = member; four < KEYS / 4u; four += TEAM) {
      let s = scores_of(row, four, key);
      largest = max(largest, max(max(s.x, s.y), max(s.z, s.w)));
    }
    for (var other = 1u; other < TEAM; other *= 2u) {
      largest = max(largest, subgroupShuffleXor(largest, other));
    }
    let lagging = subgroupAdd(select(0u, 1u, largest > maximum + SLACK));
    if (lane == 0u) {
      rising[subgroup] = lagging;
    }
    let counts = workgroupUniformLoad(&rising);
    let rises = counts[0] + counts[1] + counts[2] + counts[3] > 0u;
    if (rises) {
      let raised = max(maximum, largest);
      let factor = exp(maximum - raised);
      maximum = raised;
      total *= factor;
      factors[row] = factor;
    }
    for (var four = member; four < KEYS / 4u; four += TEAM) {
      let w = exp(scores_of(row, four, key) - maximum);
      total += dot(w, vec4f(1.0));
      weights[row * WEIGHT_PITCH + four] = half_of(w);
    }
    if (rises) {
      rescale_four(0u, first, lane, &sums);
      rescale_four(4u, first, lane, &sums);
      rescale_four(8u, first, lane, &sums);
      rescale_four(12u, first, lane, &sums);
    }
    workgroupBarrier();
    for (var j = 0u; j < KEYS; j += UNIT_K) {
      let left = subgroupMatrixLoad<Left, row_major>(&weights, first * WEIGHT_PITCH + j / 4u, WEIGHT_PITCH);
      weigh_four(0u, j, left, &sums);
      weigh_four(4u, j, left, &sums);
      weigh_four(8u, j, left, &sums);
      weigh_four(12u, j, left, &sums);
    }
  }

  for (var other = 1u; other < TEAM; other *= 2u) {
    total += subgroupShuffleXor(total, other);
  }
  factors[row] = 1.0 / total;
  if (member == 0u && start + row < params.queries) {
    lse[(group.z * params.heads + group.y) * params.queries + start + row] = maximum + log(total);
  }
  finish_four(0u, first, lane, &sums, start, q_base);
  finish_four(4u, first, lane, &sums, start, q_base);
  finish_four(8u, first, lane, &sums, start, q_base);
  finish_four(12u, first, lane, &sums, start, q_base);
}
