// How a product reads B [K, N], or [N, K] if transposed, through `read_b`.
override B_TRANSPOSED: bool = false;

// The first of the four columns of this thread.
var<private> b_column: u32;

fn place_columns(column: u32) {
  b_column = column;
}

// Four steps of K for four columns, of the `depth` x N matrix that begins at `base`: element i holds
// B[k + i, column .. column + 3]. What lies beyond the edges repeats what lies on them.
fn block_of_b(base: u32, k: u32, depth: u32) -> mat4x4f {
  if (B_TRANSPOSED) {
    let at = vec4u(base + k) + min(vec4u(b_column) + vec4u(0u, 1u, 2u, 3u), vec4u(params.n - 1u)) * depth;
    let left = depth - k;
    return transpose(mat4x4f(read_b(at.x, left), read_b(at.y, left), read_b(at.z, left), read_b(at.w, left)));
  }
  let column = min(b_column, params.n - 1u) / 4u * 4u;
  let at = vec4u(base + column) + min(vec4u(k) + vec4u(0u, 1u, 2u, 3u), vec4u(depth - 1u)) * params.n;
  let left = params.n - column;
  return mat4x4f(read_b(at.x, left), read_b(at.y, left), read_b(at.z, left), read_b(at.w, left));
}
