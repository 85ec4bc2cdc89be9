// Winograd's convolution F(4 x 4, 3 x 3) of stride 1, channels last:
//
//   y = A^T [(G g G^T) . (B^T d B)] A
//
// with g the 3 x 3 weights of a pair of channels, d 6 x 6 pixels and y the 4 x 4 results (Lavin & Gray 2015, "Fast
// Algorithms for Convolutional Neural Networks", section 4.1). Summed over input channels, each of the 36 numbers in
// brackets is a product [tiles, C_in] x [C_in, C_out]: 36 multiply-adds for 16 results where a convolution has 144.
//
// `weights`, `pixels` and `results` are what is before and after these products. A thread has all 36 numbers of a tile
// and of one channel (or four). Memory: x is read 36 / 16 times and as much is written; m is read and y written once.

@group(0) @binding(0) var<storage, read> weight: array<Elem>; // [3, 3, C_in, C_out]
// pixels
@group(0) @binding(0) var<storage, read> x: array<Elem>; // [B, height, width, C_in]
// results
@group(0) @binding(0) var<storage, read> m: array<Elem>; // [36, tiles, C_out]
@group(0) @binding(1) var<storage, read> bias: array<Elem>; // [C_out]
@group(0) @binding(2) var<storage, read> addend: array<Elem>; // as y
@group(0) @binding(3) var<storage, read_write> y: array<Elem>; // [B, height, width, C_out]

// Whether the weights are turned by half a turn, as the gradient of x needs them.
override TURNED: bool = false;
override HAS_ADDEND: bool = false;
override RELU: bool = false;

fn tap(line: u32, column: u32) -> Elem {
  let i = 3u * line + column;
  return weight[select(i, 8u - i, TURNED) * stride + place];
}

fn tap_column(column: u32) -> Six {
  return times_g(Three(tap(0u, column), tap(1u, column), tap(2u, column)));
}

@compute @workgroup_size(WORKGROUP)
fn weights(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  place = id.x + id.y * groups.x * WORKGROUP;
  if (place >= params.count) {
    return;
  }
  stride = params.count;
  let l = tap_column(0u);
  let c = tap_column(1u);
  let r = tap_column(2u);
  store(0u, times_g(Three(l.a, c.a, r.a)));
  store(1u, times_g(Three(l.b, c.b, r.b)));
  store(2u, times_g(Three(l.c, c.c, r.c)));
  store(3u, times_g(Three(l.d, c.d, r.d)));
  store(4u, times_g(Three(l.e, c.e, r.e)));
  store(5u, times_g(Three(l.f, c.f, r.f)));
}

// Zero outside the picture: there, what is subtracted for the padding wraps around to large numbers.
fn pixel(line: u32, column: u32) -> Elem {
  let at = corner + vec2u(line, column) - vec2u(params.pad_top, params.pad_left);
  let inside = at.x < params.height && at.y < params.width;
  return select(Elem(), x[select(0u, index(at), inside)], inside);
}

fn pixel_column(column: u32) -> Six {
  return times_b(Six(
    pixel(0u, column),
    pixel(1u, column),
    pixel(2u, column),
    pixel(3u, column),
    pixel(4u, column),
    pixel(5u, column),
  ));
}

@compute @workgroup_size(WORKGROUP)
fn pixels(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  enter(i);
  let p = pixel_column(0u);
  let q = pixel_column(1u);
  let r = pixel_column(2u);
  let s = pixel_column(3u);
  let t = pixel_column(4u);
  let w = pixel_column(5u);
  store(0u, times_b(Six(p.a, q.a, r.a, s.a, t.a, w.a)));
  store(1u, times_b(Six(p.b, q.b, r.b, s.b, t.b, w.b)));
  store(2u, times_b(Six(p.c, q.c, r.c, s.c, t.c, w.c)));
  store(3u, times_b(Six(p.d, q.d, r.d, s.d, t.d, w.d)));
  store(4u, times_b(Six(p.e, q.e, r.e, s.e, t.e, w.e)));
  store(5u, times_b(Six(p.f, q.f, r.f, s.f, t.f, w.f)));
}

fn product_column(column: u32) -> Four {
  let at = place + column * stride;
  let step = 6u * stride;
  return times_a(Six(m[at], m[at + step], m[at + 2u * step], m[at + 3u * step], m[at + 4u * step], m[at + 5u * step]));
}

fn store_result(at: vec2u, sum: Elem) {
  if (at.x >= params.height || at.y >= params.width) {
    return;
  }
  let i = index(at);
  var result = sum;
  if (HAS_ADDEND) {
    result += addend[i];
  }
  y[i] = select(result, max(result, Elem()), RELU);
}

fn store_results(line: u32, values: Four, shift: Elem) {
  let at = corner + vec2u(line, 0u);
  store_result(at, values.a + shift);
  store_result(at + vec2u(0u, 1u), values.b + shift);
  store_result(at + vec2u(0u, 2u), values.c + shift);
  store_result(at + vec2u(0u, 3u), values.d + shift);
}

@compute @workgroup_size(WORKGROUP)
fn results(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  enter(i);
  var shift = Elem();
  if (params.has_bias == 1u) {
    shift = bias[channel];
  }
  let p = product_column(0u);
  let q = product_column(1u);
  let r = product_column(2u);
  let s = product_column(3u);
  let t = product_column(4u);
  let w = product_column(5u);
  store_results(0u, times_a(Six(p.a, q.a, r.a, s.a, t.a, w.a)), shift);
  store_results(1u, times_a(Six(p.b, q.b, r.b, s.b, t.b, w.b)), shift);
  store_results(2u, times_a(Six(p.c, q.c, r.c, s.c, t.c, w.c)), shift);
  store_results(3u, times_a(Six(p.d, q.d, r.d, s.d, t.d, w.d)), shift);
}
