// Standard normal noise: element e of the stream of a seed is word e % 4 of Philox 4x32-10 at counter e / 4, in pairs
// through Box-Muller: r = sqrt(-2 ln u), u in (0, 1], times cosine and sine of a uniform angle in [-pi, pi).
//
// One thread a counter: 4 elements, no read. `words` writes the raw words instead, for the known answers.

@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(0) var<storage, read_write> raw: array<vec4u>;

struct Params {
  count: u32,
  // Elements of the first counter that come before the first one wanted.
  skip: u32,
  counter_0: u32,
  counter_1: u32,
  counter_2: u32,
  counter_3: u32,
  key_0: u32,
  key_1: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

// Words of the index-th counter after that of the params; the carry goes into the second word.
fn words_at(index: u32) -> vec4u {
  let low = params.counter_0 + index;
  let carry = select(0u, 1u, low < index);
  let counter = vec4u(low, params.counter_1 + carry, params.counter_2, params.counter_3);
  return philox(counter, vec2u(params.key_0, params.key_1));
}

fn normal_pair(words: vec2u) -> vec2f {
  let u = f32(words.x) * 0x1p-32 + 0x1p-33;
  let angle = f32(bitcast<i32>(words.y)) * (3.14159265358979 * 0x1p-31);
  return sqrt(max(0.0, -2.0 * log(u))) * vec2f(cos(angle), sin(angle));
}

fn store(i: u32, value: f32) {
  // Left of the first element i wraps around to a large number.
  if (i < params.count) {
    y[i] = value;
  }
}

@compute @workgroup_size(WORKGROUP)
fn normal(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * WORKGROUP;
  let first = index * 4u - params.skip;
  let words = words_at(index);
  let p = normal_pair(words.xy);
  let q = normal_pair(words.zw);
  store(first, p.x);
  store(first + 1u, p.y);
  store(first + 2u, q.x);
  store(first + 3u, q.y);
}

@compute @workgroup_size(WORKGROUP)
fn words(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.count) {
    raw[id.x] = words_at(id.x);
  }
}
