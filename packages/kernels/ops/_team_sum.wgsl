// A team is TEAM neighbouring threads of a workgroup that share a row: sums over it, by a tree in workgroup memory. Every
// member gets the result, always summed in the same order. All threads of the workgroup must call it; both constants are
// powers of two. A team of one shares nothing and waits for nobody.

override WORKGROUP: u32 = 64u;
override TEAM: u32 = 64u;

var<workgroup> team_tree: array<f32, WORKGROUP>;

fn team_sum(value: f32, thread: u32) -> f32 {
  if (TEAM == 1u) {
    return value;
  }
  let member = thread % TEAM;
  workgroupBarrier(); // the result of an earlier call may still be read
  team_tree[thread] = value;
  workgroupBarrier();
  for (var half = TEAM / 2u; half > 0u; half /= 2u) {
    if (member < half) {
      team_tree[thread] += team_tree[thread + half];
    }
    workgroupBarrier();
  }
  return team_tree[thread - member];
}
