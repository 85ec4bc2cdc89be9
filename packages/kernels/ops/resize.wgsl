// Bicubic resampling along one axis, from n to m samples, as Pillow does it:
// y[o] = sum_k w_k x[k] / sum_k w_k,  w_k = keys((k + 1/2 - c) / s),  c = (o + 1/2) n / m,  s = max(1, n / m).
// keys is Keys' cubic convolution kernel (1981) for a = -1/2; taps outside [0, n) are dropped.
//
// c = (2 o + 1) n / (2 m), n / m reduced, is divided in integers, and a tap's distance is made of the remainder alone:
// exact to f32 at any position, and the same for a part of the picture as for all of it. Outputs are o = start, start + 1, ...,
// mirrored at 0 and m - 1 without repeating them. x holds the samples from part_start on, which cover all taps.
// Where the taps are, and their weights, is worked out once for the four elements (or fours of neighbours off the axis) of
// a thread, since it takes longer than to read them. An element takes ceil(4 s) reads, mostly from the cache, and 1 write.
//
// dx[k] = sum_o dy[o] w_k / sum_k w_k over the outputs whose taps reach k; here x is dy and y is dx. The places and sums of
// weights of the outputs, which are the same for all lines, are worked out before.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;

// Of `backward`, (whole, fraction, sum of the weights) for each wanted output, the latter two as bits, which
// `backward_totals` writes.
@group(0) @binding(2) var<storage, read> totals: array<vec4i>;
@group(0) @binding(0) var<storage, read_write> sums: array<vec4i>;

struct Params {
  // Threads.
  count: u32,
  start: i32,
  extent: u32,
  size_in: u32,
  size_out: u32,
  // size_in / size_out, reduced.
  ratio_in: u32,
  ratio_out: u32,
  part_start: u32,
  part_length: u32,
  // Elem in one step along the axis.
  inner: u32,
  // Lines of samples: `rows` of each batch, from `first_row` on.
  rows: u32,
  first_row: u32,
  row_stride: u32,
  batch_stride: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

fn keys(distance: f32) -> f32 {
  let t = abs(distance);
  let near = (1.5 * t - 2.5) * t * t + 1.0;
  let far = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0;
  return select(select(far, near, t < 1.0), 0.0, t >= 2.0);
}

fn stretch() -> f32 {
  return max(1.0, f32(params.size_in) / f32(params.size_out));
}

// The taps of an output: `first` to `last`, and where its centre lies.
struct Taps {
  first: i32,
  last: i32,
  whole: i32,
  fraction: f32,
}

fn taps_of(position: u32) -> Taps {
  let doubled = (2u * position + 1u) * params.ratio_in;
  let whole = i32(doubled / (2u * params.ratio_out));
  let fraction = f32(doubled % (2u * params.ratio_out)) / f32(2u * params.ratio_out);
  return Taps(
    max(whole + i32(floor(fraction - 0.5 - 2.0 * stretch())) + 1, 0),
    min(whole + i32(ceil(fraction - 0.5 + 2.0 * stretch())) - 1, i32(params.size_in) - 1),
    whole,
    fraction,
  );
}

fn weight_of(tap: i32, taps: Taps) -> f32 {
  return keys((f32(tap - taps.whole) + 0.5 - taps.fraction) / stretch());
}

// Where the line of step `step` along lines of `extent` begins in x.
fn line_start(step: u32, extent: u32) -> u32 {
  let line = step / extent;
  return line / params.rows * params.batch_stride + (params.first_row + line % params.rows) * params.row_stride;
}

// The four elements of a thread, and what they sum up to. Elements beyond the last of a step are not written.
struct Four {
  at: vec4u,
  sums: array<Elem, 4>,
}

// Those of thread `part` of the `parts` that share a step: every parts-th from `part` on.
fn four_of(part: u32, parts: u32) -> Four {
  return Four(part + vec4u(0u, 1u, 2u, 3u) * parts, array<Elem, 4>());
}

fn parts() -> u32 {
  return (params.inner + 3u) / 4u;
}

// Adds weight x of the step that begins at `begin`.
fn add(four: ptr<function, Four>, weight: f32, begin: u32) {
  let at = begin + min((*four).at, vec4u(params.inner - 1u));
  (*four).sums[0] += weight * x[at.x];
  (*four).sums[1] += weight * x[at.y];
  (*four).sums[2] += weight * x[at.z];
  (*four).sums[3] += weight * x[at.w];
}

fn store(at: u32, step: u32, value: Elem) {
  if (at < params.inner) {
    y[step * params.inner + at] = value;
  }
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let step = i / parts();
  let taps = taps_of(mirror(params.start + i32(step % params.extent), params.size_out));
  var four = four_of(i % parts(), parts());
  var begin = line_start(step, params.extent) + (u32(taps.first) - params.part_start) * params.inner;
  var total = 0.0;
  for (var tap = taps.first; tap <= taps.last; tap++) {
    let weight = weight_of(tap, taps);
    total += weight;
    add(&four, weight, begin);
    begin += params.inner;
  }
  store(four.at.x, step, four.sums[0] / total);
  store(four.at.y, step, four.sums[1] / total);
  store(four.at.z, step, four.sums[2] / total);
  store(four.at.w, step, four.sums[3] / total);
}

@compute @workgroup_size(WORKGROUP)
fn backward_totals(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.count) {
    return;
  }
  let taps = taps_of(u32(params.start) + id.x);
  var sum = 0.0;
  for (var tap = taps.first; tap <= taps.last; tap++) {
    sum += weight_of(tap, taps);
  }
  sums[id.x] = vec4i(taps.whole, bitcast<i32>(taps.fraction), bitcast<i32>(sum), 0);
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let step = i / parts();
  let line = line_start(step, params.part_length);
  let sample = params.part_start + step % params.part_length;

  // The outputs within reach lie around the sample's own place among them, rounded outwards.
  let doubled = (2u * sample + 1u) * params.ratio_out;
  let whole = i32(doubled / (2u * params.ratio_in));
  let fraction = f32(doubled % (2u * params.ratio_in)) / f32(2u * params.ratio_in);
  let reach = 2.0 * max(1.0, f32(params.size_out) / f32(params.size_in));
  let first = max(whole + i32(floor(fraction - 0.5 - reach)), params.start);
  let last = min(whole + i32(ceil(fraction - 0.5 + reach)), params.start + i32(params.extent) - 1);

  var four = four_of(i % parts(), parts());
  for (var position = first; position <= last; position++) {
    let at = u32(position - params.start);
    let total = totals[at];
    let taps = Taps(0, 0, total.x, bitcast<f32>(total.y));
    add(&four, weight_of(i32(sample), taps) / bitcast<f32>(total.z), line + at * params.inner);
  }
  store(four.at.x, step, four.sums[0]);
  store(four.at.y, step, four.sums[1]);
  store(four.at.z, step, four.sums[2]);
  store(four.at.w, step, four.sums[3]);
}
