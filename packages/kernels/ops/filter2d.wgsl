// Correlation of every channel with one kernel: y[i, j] = sum_uv kernel[u, v] x[i + u - h / 2, j + v - w / 2].
// Beyond the edges x is mirrored without repeating the edge, as often as it takes (reflect padding).
// One thread a channel of a pixel: as many reads of x as the kernel has taps, most of them from the cache, and 1 write.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> taps: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

struct Params {
  count: u32,
  height: u32,
  width: u32,
  channels: u32,
  kernel_height: u32,
  kernel_width: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

fn mirror(position: i32, size: u32) -> u32 {
  // Nearly all taps lie inside, and a division is dear.
  if (position >= 0 && u32(position) < size) {
    return u32(position);
  }
  if (size == 1u) {
    return 0u;
  }
  let period = 2u * (size - 1u);
  let phase = u32(abs(position)) % period;
  return min(phase, period - phase);
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let channel = i % params.channels;
  let pixel = i / params.channels;
  let row = pixel / params.width % params.height;
  let start = pixel / params.width - row; // rows of the batches before
  let top = i32(row) - i32(params.kernel_height / 2u);
  let left = i32(pixel % params.width) - i32(params.kernel_width / 2u);

  var sum = 0.0;
  var tap = 0u;
  for (var u = 0u; u < params.kernel_height; u++) {
    let line = (start + mirror(top + i32(u), params.height)) * params.width;
    for (var v = 0u; v < params.kernel_width; v++) {
      sum += taps[tap] * x[(line + mirror(left + i32(v), params.width)) * params.channels + channel];
      tap++;
    }
  }
  y[i] = sum;
}
