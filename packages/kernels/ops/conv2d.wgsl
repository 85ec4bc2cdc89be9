// y[b, p, o] = activation(sum over taps and channels of x[b, p stride + tap - pad, i] w[tap, i, o] + bias[o] + addend).
//
// Implicit GEMM: pixels are the rows, output channels the columns, (tap, input channel) is K; there is no im2col buffer.
// A thread computes 8 consecutive pixels x 8 channels with the register tile of matmul; the addresses of its pixels are
// worked out once per tap, and taps outside the picture read zero.

struct Params {
  m: u32,
  n: u32,
  c_in: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
  kernel_height: u32,
  kernel_width: u32,
  stride: u32,
  pad_top: u32,
  pad_left: u32,
  alpha: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

// Picture, and where tap (0, 0) of output pixel `row` lies in it (may be negative).
fn corner(row: u32) -> vec3i {
  let pixel = min(row, params.m - 1u);
  let line = pixel / params.out_width;
  return vec3i(
    i32(line / params.out_height),
    i32(line % params.out_height * params.stride) - i32(params.pad_top),
    i32(pixel % params.out_width * params.stride) - i32(params.pad_left),
  );
}

// Index of channel 0 of the pixel under a tap, or -1 outside the picture.
fn address(corner: vec3i, tap: vec2i) -> i32 {
  let at = corner.yz + tap;
  let size = vec2i(i32(params.height), i32(params.width));
  let inside = all(at >= vec2i(0)) && all(at < size);
  return select(-1, ((corner.x * size.x + at.x) * size.y + at.y) * i32(params.c_in), inside);
}

fn load_x(at: i32, channel: u32) -> vec4f {
  return select(vec4f(), read_x(u32(max(at, 0)), channel), at >= 0);
}

@compute @workgroup_size(THREADS_N, THREADS_M)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) thread: vec3u,
) {
  let origin = tile_origin(group.x + group.y * groups.x, thread);
  let row = origin.x;
  let column = origin.y;
  if (row >= params.m || column >= params.n) {
    return;
  }
  let step = row_step();
  let p0 = corner(row);
  let p1 = corner(row + 1u * step);
  let p2 = corner(row + 2u * step);
  let p3 = corner(row + 3u * step);
  let p4 = corner(row + 4u * step);
  let p5 = corner(row + 5u * step);
  let p6 = corner(row + 6u * step);
  let p7 = corner(row + 7u * step);
  let taps = params.kernel_height * params.kernel_width;
  for (var tap = 0u; tap < taps; tap++) {
    let offset = vec2i(i32(tap / params.kernel_width), i32(tap % params.kernel_width));
    let a0 = address(p0, offset);
    let a1 = address(p1, offset);
    let a2 = address(p2, offset);
    let a3 = address(p3, offset);
    let a4 = address(p4, offset);
    let a5 = address(p5, offset);
    let a6 = address(p6, offset);
    let a7 = address(p7, offset);
    for (var channel = 0u; channel < params.c_in; channel += 4u) {
      let pixels = array<vec4f, 8>(
        load_x(a0, channel),
        load_x(a1, channel),
        load_x(a2, channel),
        load_x(a3, channel),
        load_x(a4, channel),
        load_x(a5, channel),
        load_x(a6, channel),
        load_x(a7, channel),
      );
      accumulate(pixels, load_b(0u, tap * params.c_in + channel, column, taps * params.c_in));
    }
  }
  store_tile(0u, row, column);
}
