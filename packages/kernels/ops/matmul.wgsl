// C = activation(alpha A B + bias + addend), batched; A is [M, K] or, transposed, [K, M]; B is [K, N] or, transposed, [N, K].
//
// The operands of a product: how it is computed is in _product_lanes.wgsl, _product_shared.wgsl and _product_few.wgsl.

struct Params {
  m: u32,
  n: u32,
  k: u32,
  a_stride: u32,
  b_stride: u32,
  alpha: f32,
  has_bias: u32,
  // Rows of C that share one of the gate.
  gate_rows: u32,
  // Parts that K is divided into, and the steps of one: each part of each batch is a batch of the product.
  parts: u32,
  steps: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

// Whether K is divided; a division for nothing costs CPU adapters 2 % of a small product.
override IN_PARTS: bool = false;

// Which part of which batch.
var<private> part: u32;
var<private> batch: u32;
// The first step of the part.
var<private> origin: u32;
// Where the rows of this thread begin in A; if A is transposed, the first of them, the others being its neighbours.
var<private> a_rows: vec4u;

fn extent() -> vec2u {
  return vec2u(params.m, params.n);
}

fn open(z: u32) {
  part = z;
  batch = z;
  if (IN_PARTS) {
    batch = z / params.parts;
    origin = z % params.parts * params.steps;
  }
}

fn output_row(row: u32) -> u32 {
  return select(NOWHERE, part * params.m + row, row < params.m);
}

fn segments(z: u32) -> vec2u {
  return vec2u(0u, 1u);
}

fn enter(segment: u32, z: u32) -> u32 {
  if (IN_PARTS) {
    return min(params.steps, params.k - z % params.parts * params.steps);
  }
  return params.k;
}

fn place_rows(rows: vec4u) {
  let valid = min(rows, vec4u(params.m - 1u));
  a_rows = select(valid * params.k, valid / 4u * 4u, vec4<bool>(A_TRANSPOSED)) + batch * params.a_stride;
}

fn read_rows(step: u32) -> mat4x4f {
  let k = origin + step;
  if (A_TRANSPOSED) {
    let at = vec4u(a_rows.x) + min(vec4u(k) + vec4u(0u, 1u, 2u, 3u), vec4u(params.k - 1u)) * params.m;
    let left = params.m - (a_rows.x - batch * params.a_stride);
    return mat4x4f(read_a(at.x, left), read_a(at.y, left), read_a(at.z, left), read_a(at.w, left));
  }
  let left = params.k - k;
  return mat4x4f(
    read_a(a_rows.x + k, left),
    read_a(a_rows.y + k, left),
    read_a(a_rows.z + k, left),
    read_a(a_rows.w + k, left),
  );
}

// Steps beyond the last are not.
fn there(step: u32) -> vec4<bool> {
  if (A_TRANSPOSED) {
    return vec4u(origin + step) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.k);
  }
  return vec4<bool>(true);
}

fn hold_b(step: u32) -> Held {
  return hold_block_of_b(batch * params.b_stride, origin + step, params.k);
}
