// How a product reads A. The op provides read_rows(k): for step k the four placed rows, four steps of each, or if A is
// transposed four steps, the four rows of each; and there(k): which of these four count, the others being zero.

fn block_of_a(rows: mat4x4f, counts: vec4<bool>) -> mat4x4f {
  let block = mat4x4f(
    select(vec4f(), rows[0], counts.x),
    select(vec4f(), rows[1], counts.y),
    select(vec4f(), rows[2], counts.z),
    select(vec4f(), rows[3], counts.w),
  );
  if (A_TRANSPOSED) {
    return transpose(block);
  }
  return block;
}

// Four steps of K for each of the four placed rows.
fn load_a(k: u32) -> mat4x4f {
  return block_of_a(read_rows(k), there(k));
}
