// Sum and maximum over a workgroup, by a tree in workgroup memory: every thread gets the result, always summed in the
// same order. All threads of the workgroup must call them; WORKGROUP must be a power of two.

override WORKGROUP: u32 = 64u;

var<workgroup> tree: array<f32, WORKGROUP>;

fn workgroup_sum(value: f32, thread: u32) -> f32 {
  workgroupBarrier(); // the result of an earlier call may still be read
  tree[thread] = value;
  workgroupBarrier();
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (thread < half) {
      tree[thread] += tree[thread + half];
    }
    workgroupBarrier();
  }
  return tree[0];
}

fn workgroup_max(value: f32, thread: u32) -> f32 {
  workgroupBarrier();
  tree[thread] = value;
  workgroupBarrier();
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (thread < half) {
      tree[thread] = max(tree[thread], tree[thread + half]);
    }
    workgroupBarrier();
  }
  return tree[0];
}
