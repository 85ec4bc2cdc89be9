// Sum or largest magnitude of all elements, times `scale`: y[g] = scale sum(x[g chunk .. (g + 1) chunk]).
//
// One workgroup a chunk, in fours if all is: 1 read; the chunks' results go through the same kernel once more, as one
// chunk. Chunks depend on the count alone, so that the result is the same every time. Gradient of the sum:
// dx[i] = scale dy[0], four elements a thread, beyond the last of which is padding: 1 write.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
// backward
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<vec4f>;

struct Params {
  // In Elem; of the gradient, in vec4f.
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
  var results = Elem();
  for (var i = first + thread; i < end; i += WORKGROUP) {
    if (MAGNITUDE) {
      results = max(results, abs(x[i]));
    } else {
      results += x[i];
    }
  }
  var result = 0.0;
  if (MAGNITUDE) {
    result = workgroup_max(elem_max(results), thread);
  } else {
    result = workgroup_sum(elem_sum(results), thread);
  }
  if (thread == 0u) {
    y[group.x] = params.scale * result;
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    dx[i] = vec4f(params.scale * dy[0]);
  }
}
