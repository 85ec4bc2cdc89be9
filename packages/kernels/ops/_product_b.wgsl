// How a product reads B [K, N], or [N, K] if transposed, through `raw_b` and `value_of_b`. The op provides hold_b(k).
override B_TRANSPOSED: bool = false;

// The first of the four columns of this thread.
var<private> b_column: u32;

fn place_columns(column: u32) {
  b_column = column;
}

// What was read of a block of four rows, and not touched yet.
alias Held = array<vec4u, 4>;

// Four steps of K for four columns, of the `depth` x N matrix that begins at `base`. What lies beyond the edges repeats what
// lies on them.
fn hold_block_of_b(base: u32, k: u32, depth: u32) -> Held {
  if (B_TRANSPOSED) {
    let at = vec4u(base + k) + min(vec4u(b_column) + vec4u(0u, 1u, 2u, 3u), vec4u(params.n - 1u)) * depth;
    let left = depth - k;
    return Held(raw_b(at.x, left), raw_b(at.y, left), raw_b(at.z, left), raw_b(at.w, left));
  }
  let column = min(b_column, params.n - 1u) / 4u * 4u;
  let at = vec4u(base + column) + min(vec4u(k) + vec4u(0u, 1u, 2u, 3u), vec4u(depth - 1u)) * params.n;
  let left = params.n - column;
  return Held(raw_b(at.x, left), raw_b(at.y, left), raw_b(at.z, left), raw_b(at.w, left));
}

// Element i holds B[k + i, column .. column + 3].
fn block_of_b(held: Held) -> mat4x4f {
  let block = mat4x4f(value_of_b(held[0]), value_of_b(held[1]), value_of_b(held[2]), value_of_b(held[3]));
  if (B_TRANSPOSED) {
    return transpose(block);
  }
  return block;
}

fn load_b(k: u32) -> mat4x4f {
  return block_of_b(hold_b(k));
}
