// The Euclidean norm over many tensors, and what an optimiser makes of it.
//
// `squares`: a workgroup a chunk of a tensor, partials[first + g] = sum of squares; `root`: one workgroup adds up the
// partials of all tensors and takes the root. Chunks depend on the sizes alone: the same bits every time.
// `decide`: control = (min(1, clip / norm), alive before and norm finite).

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
// root
@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> total: array<f32>;
// decide
@group(0) @binding(0) var<storage, read> norm: array<f32>;
@group(0) @binding(1) var<storage, read_write> control: array<f32>;

struct Params {
  // In Elem.
  count: u32,
  chunk: u32,
  first: u32,
  clip: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn squares(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let end = min((group.x + 1u) * params.chunk, params.count);
  var sum = Elem();
  for (var i = group.x * params.chunk + thread; i < end; i += WORKGROUP) {
    sum += x[i] * x[i];
  }
  let total = workgroup_sum(elem_sum(sum), thread);
  if (thread == 0u) {
    partials[params.first + group.x] = total;
  }
}

@compute @workgroup_size(WORKGROUP)
fn root(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var i = thread; i < params.count; i += WORKGROUP) {
    sum += parts[i];
  }
  sum = workgroup_sum(sum, thread);
  if (thread == 0u) {
    total[0] = sqrt(sum);
  }
}

@compute @workgroup_size(1)
fn decide() {
  // Infinities and NaNs have all exponent bits set. Comparisons could be compiled as if there were none.
  let is_finite = (bitcast<u32>(norm[0]) & 0x7f800000u) != 0x7f800000u;
  control[0] = select(1.0, params.clip / norm[0], norm[0] > params.clip);
  control[1] = select(0.0, control[1], is_finite);
}
