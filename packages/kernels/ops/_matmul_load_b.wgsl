// How a register tile reads B [K, N], or [N, K] if transposed, through `read_b`.
override B_TRANSPOSED: bool = false;

// Four steps of K for eight columns of B: elements 2 i and 2 i + 1 hold B[k + i, column .. column + 7].
fn load_b(base: u32, k: u32, column: u32, rows: u32) -> array<vec4f, 8> {
  if (B_TRANSPOSED) {
    let last = params.n - 1u;
    let p = transpose(mat4x4f(
      read_b(base, min(column, last), k, rows),
      read_b(base, min(column + 1u, last), k, rows),
      read_b(base, min(column + 2u, last), k, rows),
      read_b(base, min(column + 3u, last), k, rows),
    ));
    let q = transpose(mat4x4f(
      read_b(base, min(column + 4u, last), k, rows),
      read_b(base, min(column + 5u, last), k, rows),
      read_b(base, min(column + 6u, last), k, rows),
      read_b(base, min(column + 7u, last), k, rows),
    ));
    return array<vec4f, 8>(p[0], q[0], p[1], q[1], p[2], q[2], p[3], q[3]);
  }
  let left = min(column, params.n - 1u) / 4u * 4u;
  let right = min(column + 4u, params.n - 1u) / 4u * 4u;
  let last = rows - 1u;
  return array<vec4f, 8>(
    read_b(base, k, left, params.n), read_b(base, k, right, params.n),
    read_b(base, min(k + 1u, last), left, params.n), read_b(base, min(k + 1u, last), right, params.n),
    read_b(base, min(k + 2u, last), left, params.n), read_b(base, min(k + 2u, last), right, params.n),
    read_b(base, min(k + 3u, last), left, params.n), read_b(base, min(k + 3u, last), right, params.n),
  );
}
