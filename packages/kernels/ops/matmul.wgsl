// C = activation(alpha A B + bias + addend), batched; A is [M, K] or, transposed, [K, M]; B is [K, N] or, transposed, [N, K].
//
// Each thread computes 8 x 8 outputs in registers straight from storage, four steps of K at a time: 16 vec4 reads for
// 256 multiply-adds, neighbouring threads share them through the cache. Inner loops are unrolled by hand, since every
// WGSL loop costs a bounds counter. Rows and columns beyond the edge repeat the last valid ones and are not stored.

struct Params {
  m: u32,
  n: u32,
  k: u32,
  a_stride: u32,
  b_stride: u32,
  alpha: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override A_TRANSPOSED: bool = false;

// Four steps of K for eight rows of A: element i holds A[row + i, k .. k + 3].
fn load_a(base: u32, row: u32, k: u32) -> array<vec4f, 8> {
  if (A_TRANSPOSED) {
    let left = min(row, params.m - 1u) / 4u * 4u;
    let right = min(row + 4u, params.m - 1u) / 4u * 4u;
    let last = params.k - 1u;
    let p = mat4x4f(
      read_a(base, k, left, params.m),
      read_a(base, min(k + 1u, last), left, params.m),
      read_a(base, min(k + 2u, last), left, params.m),
      read_a(base, min(k + 3u, last), left, params.m),
    );
    let q = mat4x4f(
      read_a(base, k, right, params.m),
      read_a(base, min(k + 1u, last), right, params.m),
      read_a(base, min(k + 2u, last), right, params.m),
      read_a(base, min(k + 3u, last), right, params.m),
    );
    let valid = vec4f(vec4u(k) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.k));
    let s = transpose(p);
    let t = transpose(q);
    return array<vec4f, 8>(
      s[0] * valid, s[1] * valid, s[2] * valid, s[3] * valid,
      t[0] * valid, t[1] * valid, t[2] * valid, t[3] * valid,
    );
  }
  let last = params.m - 1u;
  let step = row_step();
  return array<vec4f, 8>(
    read_a(base, min(row, last), k, params.k),
    read_a(base, min(row + 1u * step, last), k, params.k),
    read_a(base, min(row + 2u * step, last), k, params.k),
    read_a(base, min(row + 3u * step, last), k, params.k),
    read_a(base, min(row + 4u * step, last), k, params.k),
    read_a(base, min(row + 5u * step, last), k, params.k),
    read_a(base, min(row + 6u * step, last), k, params.k),
    read_a(base, min(row + 7u * step, last), k, params.k),
  );
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
  let a_base = group.z * params.a_stride;
  let b_base = group.z * params.b_stride;
  for (var k = 0u; k < params.k; k += 4u) {
    accumulate(load_a(a_base, row, k), load_b(b_base, k, column, params.k));
  }
  store_tile(group.z, row, column);
}
