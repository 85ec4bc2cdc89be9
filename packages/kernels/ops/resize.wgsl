// Bicubic resampling along one axis, from n to m samples, as Pillow does it:
// y[o] = sum_k w_k x[k] / sum_k w_k,  w_k = keys((k + 1/2 - c) / s),  c = (o + 1/2) n / m,  s = max(1, n / m).
// keys is Keys' cubic convolution kernel (1981) for a = -1/2; taps outside [0, n) are dropped.
//
// c = (2 o + 1) n / (2 m) is divided in integers, and a tap's distance is made of the remainder alone: exact to f32 at
// any position, and the same for a part of the picture as for all of it. Outputs are o = start, start + 1, ...,
// mirrored at 0 and m - 1 without repeating them. x holds the samples from part_start on, which cover all taps.
// One thread an element (or four neighbours off the axis): ceil(4 s) reads, mostly from the cache, 1 write.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;

struct Params {
  count: u32,
  start: i32,
  extent: u32,
  size_in: u32,
  size_out: u32,
  part_start: u32,
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

fn mirror(position: i32) -> u32 {
  if (params.size_out == 1u) {
    return 0u;
  }
  let period = 2u * (params.size_out - 1u);
  let phase = u32(abs(position)) % period;
  return min(phase, period - phase);
}

fn keys(distance: f32) -> f32 {
  let t = abs(distance);
  let near = (1.5 * t - 2.5) * t * t + 1.0;
  let far = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0;
  return select(select(far, near, t < 1.0), 0.0, t >= 2.0);
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let step = i / params.inner;
  let line = step / params.extent;
  let row = params.first_row + line % params.rows;
  let base = line / params.rows * params.batch_stride + row * params.row_stride + i % params.inner;

  let position = mirror(params.start + i32(step % params.extent));
  let doubled = (2u * position + 1u) * params.size_in;
  let whole = i32(doubled / (2u * params.size_out));
  let fraction = f32(doubled % (2u * params.size_out)) / f32(2u * params.size_out);
  let stretch = max(1.0, f32(params.size_in) / f32(params.size_out));
  let first = max(whole + i32(floor(fraction - 0.5 - 2.0 * stretch)) + 1, 0);
  let last = min(whole + i32(ceil(fraction - 0.5 + 2.0 * stretch)) - 1, i32(params.size_in) - 1);

  var sum = Elem();
  var weights = 0.0;
  var at = base + (u32(first) - params.part_start) * params.inner;
  for (var tap = first; tap <= last; tap++) {
    let weight = keys((f32(tap - whole) + 0.5 - fraction) / stretch);
    weights += weight;
    sum += weight * x[at];
    at += params.inner;
  }
  y[i] = sum / weights;
}
