// The gradient of the weights of a 3 x 3 convolution of stride 1, by Winograd's F(3 x 3, 4 x 4), as in winograd.wgsl with
// the roles of weights and results exchanged:
//
//   dw = C^T [sum over tiles of (H e H^T) . (B^T d B)] C
//
// with e the 4 x 4 gradients of a tile's results and d its 6 x 6 pixels. Of each of the 36 numbers the sum over tiles is a
// product [C_in, tiles] x [tiles, C_out]. `gradients` is H e H^T, `sums` is C^T [...] C. Memory: dy is read once and
// 36 / 16 of it written; the sums are read once.

@group(0) @binding(0) var<storage, read> dy: array<Elem>; // [B, height, width, C_out]
// sums
@group(0) @binding(0) var<storage, read> m: array<Elem>; // [36, C_in, C_out]
@group(0) @binding(1) var<storage, read_write> dw: array<Elem>; // [3, 3, C_in, C_out]

// H e: four gradients.
fn times_h(e: Four) -> Six {
  let even_a = (e.a + AA * e.c) / (2.0 * AA * (AA - BB));
  let odd_a = A * (e.b + AA * e.d) / (2.0 * AA * (AA - BB));
  let even_b = (e.a + BB * e.c) / (2.0 * BB * (BB - AA));
  let odd_b = B * (e.b + BB * e.d) / (2.0 * BB * (BB - AA));
  return Six(e.a / (AA * BB), even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, e.d);
}

// C^T m: three taps.
fn times_c(m: Six) -> Three {
  let even_a = m.b + m.c;
  let odd_a = A * (m.b - m.c);
  let even_b = m.d + m.e;
  let odd_b = B * (m.d - m.e);
  return Three(m.a + even_a + even_b, odd_a + odd_b, AA * even_a + BB * even_b + m.f);
}

fn gradient(line: u32, column: u32) -> Elem {
  let at = corner + vec2u(line, column);
  let inside = at.x < params.height && at.y < params.width;
  return select(Elem(), dy[select(0u, index(at), inside)], inside);
}

fn gradient_column(column: u32) -> Six {
  return times_h(Four(gradient(0u, column), gradient(1u, column), gradient(2u, column), gradient(3u, column)));
}

@compute @workgroup_size(WORKGROUP)
fn gradients(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  enter(i);
  let p = gradient_column(0u);
  let q = gradient_column(1u);
  let r = gradient_column(2u);
  let s = gradient_column(3u);
  store(0u, times_h(Four(p.a, q.a, r.a, s.a)));
  store(1u, times_h(Four(p.b, q.b, r.b, s.b)));
  store(2u, times_h(Four(p.c, q.c, r.c, s.c)));
  store(3u, times_h(Four(p.d, q.d, r.d, s.d)));
  store(4u, times_h(Four(p.e, q.e, r.e, s.e)));
  store(5u, times_h(Four(p.f, q.f, r.f, s.f)));
}

fn sum_column(column: u32) -> Three {
  let at = place + column * stride;
  let step = 6u * stride;
  return times_c(Six(m[at], m[at + step], m[at + 2u * step], m[at + 3u * step], m[at + 4u * step], m[at + 5u * step]));
}

fn store_taps(line: u32, taps: Three) {
  let at = place + 3u * line * stride;
  dw[at] = taps.a;
  dw[at + stride] = taps.b;
  dw[at + 2u * stride] = taps.c;
}

@compute @workgroup_size(WORKGROUP)
fn sums(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  place = id.x + id.y * groups.x * WORKGROUP;
  if (place >= params.count) {
    return;
  }
  stride = params.count;
  let p = sum_column(0u);
  let q = sum_column(1u);
  let r = sum_column(2u);
  let s = sum_column(3u);
  let t = sum_column(4u);
  let w = sum_column(5u);
  store_taps(0u, times_c(Six(p.a, q.a, r.a, s.a, t.a, w.a)));
  store_taps(1u, times_c(Six(p.b, q.b, r.b, s.b, t.b, w.b)));
  store_taps(2u, times_c(Six(p.c, q.c, r.c, s.c, t.c, w.c)));
}
