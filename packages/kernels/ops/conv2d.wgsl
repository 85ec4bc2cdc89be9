// y[b, p, o] = activation(sum over taps and channels of x[b, p stride + tap - pad, i] w[tap, i, o] + bias[o] + addend).
//
// Implicit GEMM: pixels are the rows, output channels the columns, (tap, input channel) is K; there is no im2col buffer.
// A thread computes 8 pixels x 8 channels with the register tile of matmul; the addresses of its pixels are worked out
// once per tap, and taps outside the picture read zero.
//
// dx[b, q, i] = sum over taps and channels of dy[b, (q + pad - tap) / stride, o] w[tap, i, o] where that divides: the same
// kernel with the roles of the pictures exchanged, and w read by column.
// dw[tap, i, o] = sum over pixels of x[b, p stride + tap - pad, i] dy[b, p, o]: a product whose K is the pixels, a line
// after the other. Chunks of lines go to different workgroups, which write a sum each: [chunks, taps, i, o].

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
  // Of y in all pictures, and those of one chunk.
  lines: u32,
  chunk: u32,
  alpha: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

// Whether `x` is dy and the result dx: `width` and `c_in` are then those of y, `out_width` and `n` those of x.
override ADJOINT: bool = false;

// Picture, and where tap (0, 0) of result pixel `row` lies in it (may be negative), before division by the stride.
fn corner(row: u32) -> vec3i {
  let pixel = min(row, params.m - 1u);
  let line = pixel / params.out_width;
  let at = vec2i(vec2u(line % params.out_height, pixel % params.out_width));
  let pad = vec2i(vec2u(params.pad_top, params.pad_left));
  return vec3i(i32(line / params.out_height), select(at * i32(params.stride) - pad, at + pad, ADJOINT));
}

// Index of channel 0 of the pixel under a tap, or -1 outside the picture.
fn address(corner: vec3i, tap: vec2i) -> i32 {
  let size = vec2i(i32(params.height), i32(params.width));
  var at = corner.yz + tap;
  var inside = all(at >= vec2i(0)) && all(at < size);
  if (ADJOINT) {
    let strided = corner.yz - tap;
    at = strided / i32(params.stride);
    inside = all(strided >= vec2i(0)) && all(at * i32(params.stride) == strided) && all(at < size);
  }
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
    if (ADJOINT && max(max(max(a0, a1), max(a2, a3)), max(max(a4, a5), max(a6, a7))) < 0) {
      continue; // with stride 2, three of four taps lie between the pixels: 52 -> 17 ms for 64 x 64 pixels, 64 channels
    }
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
      accumulate(pixels, load_b(tap * params.c_in * params.n, channel, column, params.c_in));
    }
  }
  store_tile(0u, row, column);
}

// Four channels of the pixel of x under a tap of the result pixel `column` of a line; zero outside the picture.
fn load_under(line: u32, column: u32, offset: i32, channel: u32) -> vec4f {
  let at = i32(column * params.stride) + offset;
  let last = i32(params.width) - 1;
  let inside = column < params.out_width && at >= 0 && at <= last;
  return select(vec4f(), read_x(line + u32(clamp(at, 0, last)) * params.c_in, channel), inside);
}

// Four pixels of a line for eight channels: element i holds channel + i of all four.
fn load_line(line: u32, column: u32, offset: i32, channel: u32) -> array<vec4f, 8> {
  let left = min(channel, params.c_in - 1u) / 4u * 4u;
  let right = min(channel + 4u, params.c_in - 1u) / 4u * 4u;
  let p = transpose(mat4x4f(
    load_under(line, column, offset, left),
    load_under(line, column + 1u, offset, left),
    load_under(line, column + 2u, offset, left),
    load_under(line, column + 3u, offset, left),
  ));
  let q = transpose(mat4x4f(
    load_under(line, column, offset, right),
    load_under(line, column + 1u, offset, right),
    load_under(line, column + 2u, offset, right),
    load_under(line, column + 3u, offset, right),
  ));
  return array<vec4f, 8>(p[0], p[1], p[2], p[3], q[0], q[1], q[2], q[3]);
}

// Rows of the product are (tap, channel), the channels of each tap rounded up to whole tiles.
@compute @workgroup_size(THREADS_N, THREADS_M)
fn backward_weight(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) thread: vec3u,
) {
  let origin = tile_origin(group.x + group.y * groups.x, thread);
  let column = origin.y;
  let rows = (params.c_in + TILE - 1u) / TILE * TILE;
  let tap = origin.x / rows;
  let channel = origin.x % rows;
  if (tap >= params.kernel_height * params.kernel_width || column >= params.n) {
    return;
  }
  let offset = vec2i(vec2u(tap / params.kernel_width, tap % params.kernel_width)) -
    vec2i(vec2u(params.pad_top, params.pad_left));
  let first = group.z * params.chunk;
  let end = min(first + params.chunk, params.lines);
  for (var line = first; line < end; line++) {
    let y = i32(line % params.out_height * params.stride) + offset.x;
    if (y >= 0 && y < i32(params.height)) {
      let under = (line / params.out_height * params.height + u32(y)) * params.width * params.c_in;
      for (var pixel = 0u; pixel < params.out_width; pixel += 4u) {
        accumulate(
          load_line(under, pixel, offset.y, channel),
          load_b(line * params.out_width * params.n, pixel, column, params.out_width),
        );
      }
    }
  }
  store_row(group.z, weight_row(tap, channel), column, sums[0], sums[1]);
  store_row(group.z, weight_row(tap, channel + 1u), column, sums[2], sums[3]);
  store_row(group.z, weight_row(tap, channel + 2u), column, sums[4], sums[5]);
  store_row(group.z, weight_row(tap, channel + 3u), column, sums[6], sums[7]);
  store_row(group.z, weight_row(tap, channel + 4u), column, sums[8], sums[9]);
  store_row(group.z, weight_row(tap, channel + 5u), column, sums[10], sums[11]);
  store_row(group.z, weight_row(tap, channel + 6u), column, sums[12], sums[13]);
  store_row(group.z, weight_row(tap, channel + 7u), column, sums[14], sums[15]);
}

// The row of dw, or one beyond the end if the tap has no such channel.
fn weight_row(tap: u32, channel: u32) -> u32 {
  return select(params.m, tap * params.c_in + channel, channel < params.c_in);
}
