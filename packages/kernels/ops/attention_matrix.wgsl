// out[q] = sum over keys of softmax(scale q . k) v[k], per batch and head; also lse[q] = log sum exp(scale q . k): what
// attention.wgsl computes, by matrix units (tensor cores). Its gradient is in attention_backward.wgsl.
//
// A workgroup of four subgroups keeps 4 UNIT_M queries, a subgroup UNIT_M of them, as matrices in registers, and walks over
// the keys KEYS at a time, twice: first for the largest score of each query and the sum of exp, then for the outputs. A
// matrix in registers cannot be scaled row by row, as streaming softmax would have it, when a larger score turns up; to
// score twice costs half as much again, and needs nothing else. Scores go to workgroup memory, weights come back as f16.
//
// Channels of a head are a multiple of 16, up to 128. 32 KiB of workgroup memory at 128 channels and units of 16.

@group(0) @binding(0) var<storage, read> q: array<vec4f>;
@group(0) @binding(1) var<storage, read> k: array<vec4f>;
@group(0) @binding(2) var<storage, read> v: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;

struct Params {
  queries: u32,
  keys: u32,
  heads: u32,
  // vec4s of a head
  width: u32,
  scale: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

// Four subgroups.
override THREADS: u32 = 128u;
// Channels of a head.
override WIDTH: u32 = 128u;

const QUERIES = 4u * UNIT_M;
const KEYS = 32u;
const LOWEST = -3.0e38;
// vec4s of a row, padded so that the next begins at another bank.
override TOKEN_PITCH = WIDTH / 4u + 2u;
const SCORE_PITCH = KEYS / 4u + 1u;
const WEIGHT_PITCH = KEYS / 4u + 2u;

var<workgroup> tokens: array<vec4<f16>, QUERIES * TOKEN_PITCH>; // queries first, then KEYS keys or values, [token, channel]
var<workgroup> scores: array<vec4f, QUERIES * SCORE_PITCH>; // [query, key]; in the end a unit of the output of each subgroup
var<workgroup> weights: array<vec4<f16>, QUERIES * WEIGHT_PITCH>; // [query, key]
var<workgroup> inverses: array<f32, QUERIES>;

alias Queries = array<Left, 128u / UNIT_K>;

// Tokens to `tokens`: of `range`, the first, how many, and how many there are in all; the last stands in beyond the end.
fn bring(source: ptr<storage, array<vec4f>, read>, base: u32, range: vec3u, index: u32) {
  let step = params.heads * params.width;
  for (var i = index; i < range.y * (WIDTH / 4u); i += THREADS) {
    let at = vec2u(i / (WIDTH / 4u), i % (WIDTH / 4u));
    let token = min(range.x + at.x, range.z - 1u);
    tokens[at.x * TOKEN_PITCH + at.y] = half_of(source[base + token * step + at.y]);
  }
}

// Scores of the queries of a subgroup and the keys in `tokens`, to `scores`.
fn score(first: u32, queries: ptr<function, Queries>) {
  for (var n = 0u; n < KEYS; n += UNIT_N) {
    var sum = Sum(); // said, since one without a value keeps that of the last pass (webgpu 0.6.2)
    for (var d = 0u; d < WIDTH; d += UNIT_K) {
      let keys = subgroupMatrixLoad<Right, col_major>(&tokens, n * TOKEN_PITCH + d / 4u, TOKEN_PITCH);
      sum = subgroupMatrixMultiplyAccumulate(queries[d / UNIT_K], keys, sum);
    }
    subgroupMatrixStore<row_major>(&scores, first * SCORE_PITCH + n / 4u, sum, SCORE_PITCH);
  }
}

// Four scores, of keys from `key` on; keys beyond the end count nothing.
fn scores_of(row: u32, four: u32, key: u32) -> vec4f {
  let valid = vec4u(key + 4u * four) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.keys);
  return select(vec4f(LOWEST), params.scale * scores[row * SCORE_PITCH + four], valid);
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
  let mine = subgroup * UNIT_M;
  // In between, a query has THREADS / QUERIES neighbouring threads of its subgroup; each has every so many-th four keys.
  let team = THREADS / QUERIES;
  let row = mine + lane / team;

  bring(&q, q_base, vec3u(start, QUERIES, params.queries), index);
  workgroupBarrier();
  var queries: Queries;
  for (var d = 0u; d < WIDTH; d += UNIT_K) {
    queries[d / UNIT_K] = subgroupMatrixLoad<Left, row_major>(&tokens, mine * TOKEN_PITCH + d / 4u, TOKEN_PITCH);
  }

  var largest = LOWEST;
  var total = 0.0;
  for (var key = 0u; key < params.keys; key += KEYS) {
    workgroupBarrier(); // tokens are done with
    bring(&k, k_base, vec3u(key, KEYS, params.keys), index);
    workgroupBarrier();
    score(mine, &queries);
    workgroupBarrier();
    var raised = largest;
    for (var four = lane % team; four < KEYS / 4u; four += team) {
      let s = scores_of(row, four, key);
      raised = max(raised, max(max(s.x, s.y), max(s.z, s.w)));
    }
    total *= exp(largest - raised);
    largest = raised;
    for (var four = lane % team; four < KEYS / 4u; four += team) {
      total += dot(exp(scores_of(row, four, key) - largest), vec4f(1.0));
    }
  }
  let own = largest;
  for (var other = 1u; other < team; other *= 2u) {
    largest = max(largest, subgroupShuffleXor(largest, other));
  }
  total *= exp(own - largest);
  for (var other = 1u; other < team; other *= 2u) {
    total += subgroupShuffleXor(total, other);
  }
  if (lane % team == 0u) {
    inverses[row] = 1.0 / total;
    if (start + row < params.queries) {
      lse[(group.z * params.heads + group.y) * params.queries + start + row] = largest + log(total);
    }
  }

  var sums: array<Sum, 128u / UNIT_N>;
  for (var key = 0u; key < params.keys; key += KEYS) {
    workgroupBarrier();
    bring(&k, k_base, vec3u(key, KEYS, params.keys), index);
    workgroupBarrier();
    score(mine, &queries);
    workgroupBarrier();
    for (var four = lane % team; four < KEYS / 4u; four += team) {
      weights[row * WEIGHT_PITCH + four] = half_of(exp(scores_of(row, four, key) - largest));
    }
    bring(&v, k_base, vec3u(key, KEYS, params.keys), index);
    workgroupBarrier();
    for (var j = 0u; j < KEYS; j += UNIT_K) {
      let left = subgroupMatrixLoad<Left, row_major>(&weights, mine * WEIGHT_PITCH + j / 4u, WEIGHT_PITCH);
      for (var d = 0u; d < WIDTH; d += UNIT_N) {
        let values = subgroupMatrixLoad<Right, row_major>(&tokens, j * TOKEN_PITCH + d / 4u, TOKEN_PITCH);
        sums[d / UNIT_N] = subgroupMatrixMultiplyAccumulate(left, values, sums[d / UNIT_N]);
      }
    }
  }

  for (var d = 0u; d < WIDTH; d += UNIT_N) {
    workgroupBarrier();
    subgroupMatrixStore<row_major>(&scores, mine * SCORE_PITCH, sums[d / UNIT_N], SCORE_PITCH);
    workgroupBarrier();
    for (var e = lane; e < UNIT_M * UNIT_N / 4u; e += THREADS / 4u) {
      let i = mine + e / (UNIT_N / 4u);
      let four = e % (UNIT_N / 4u);
      if (start + i < params.queries) {
        out[q_base + (start + i) * step + d / 4u + four] = inverses[i] * scores[i * SCORE_PITCH + four];
      }
    }
  }
}
