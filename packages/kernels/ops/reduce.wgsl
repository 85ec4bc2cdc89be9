// Sum or largest magnitude of all elements, times `scale`: y[g] = scale sum(x[g chunk .. (g + 1) chunk]).
//
// One workgroup a chunk: 1 read; the chunks' results go through the same kernel once more, as one chunk. Chunks depend
// on the count alone, so that the result is the same every time. Gradient of the sum: dx[i] = scale dy[0], 1 write.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
// backward
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;

struct Params {
  count: u32,
  chunk: u32,
  scale: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override MAGNITUDE: bool = false;

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first = group.x * params.chunk;
  let end = min(first + params.chunk, params.count);
  var result = 0.0;
  for (var i = first + thread; i < end; i += WORKGROUP) {
    if (MAGNITUDE) {
      result = max(result, abs(x[i]));
    } else {
      result += x[i];
    }
  }
  if (MAGNITUDE) {
    result = workgroup_max(result, thread);
  } else {
    result = workgroup_sum(result, thread);
  }
  if (thread == 0u) {
    y[group.x] = params.scale * result;
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    dx[i] = params.scale * dy[0];
  }
}
