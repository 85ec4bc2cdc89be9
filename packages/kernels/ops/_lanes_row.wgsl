// A row of which each of TEAM neighbouring lanes holds 16 numbers, TEAM 1, 2, 4 or 8 lanes of a subgroup of 8: what all
// lanes do to their part, and sums over the row, which every lane gets. All lanes of a subgroup must call lanes_sum.

override WORKGROUP: u32 = 64u;
override TEAM: u32 = 8u;

fn part_times(a: mat4x4f, b: mat4x4f) -> mat4x4f {
  return mat4x4f(a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3]);
}

fn part_dot(a: mat4x4f, b: mat4x4f) -> f32 {
  return (dot(a[0], b[0]) + dot(a[1], b[1])) + (dot(a[2], b[2]) + dot(a[3], b[3]));
}

fn lanes_sum(value: f32) -> f32 {
  var sum = value;
  if (TEAM > 1u) {
    sum += subgroupShuffleXor(sum, 1u);
  }
  if (TEAM > 2u) {
    sum += subgroupShuffleXor(sum, 2u);
  }
  if (TEAM > 4u) {
    sum += subgroupShuffleXor(sum, 4u);
  }
  return sum;
}
