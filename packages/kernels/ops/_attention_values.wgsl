// The second product of _attention_products.wgsl: what columns count for rows, times what the columns bring.

fn weigh_four(r: u32, four: vec4f, left: vec4f, right: vec4f) {
  sums[2u * r] += four.x * left;
  sums[2u * r + 2u] += four.y * left;
  sums[2u * r + 4u] += four.z * left;
  sums[2u * r + 6u] += four.w * left;
  if (WIDE) {
    sums[2u * r + 1u] += four.x * right;
    sums[2u * r + 3u] += four.y * right;
    sums[2u * r + 5u] += four.z * right;
    sums[2u * r + 7u] += four.w * right;
  }
}

// Adds what column `line` brings of the 16 whose lines are there.
fn weigh_step(line: u32, sixteen: u32) {
  let left = lines[line][x];
  let right = lines[line][16u + x];
  weigh_four(0u, weights[sixteen][line][y], left, right);
  if (HALVES > 1u) {
    weigh_four(4u, weights[4u + sixteen][line][y], left, right);
  }
}

// The 16 columns that the lines hold.
fn weigh_lines(sixteen: u32) {
  weigh_step(0u, sixteen); weigh_step(1u, sixteen); weigh_step(2u, sixteen); weigh_step(3u, sixteen);
  weigh_step(4u, sixteen); weigh_step(5u, sixteen); weigh_step(6u, sixteen); weigh_step(7u, sixteen);
  weigh_step(8u, sixteen); weigh_step(9u, sixteen); weigh_step(10u, sixteen); weigh_step(11u, sixteen);
  weigh_step(12u, sixteen); weigh_step(13u, sixteen); weigh_step(14u, sixteen); weigh_step(15u, sixteen);
}
