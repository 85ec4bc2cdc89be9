// y = x: the most that the adapter can read and write. Four vec4 a thread, a grid apart: neighbours touch neighbouring
// memory, and a software adapter pays for fewer threads. The array is a whole number of grids.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let grid = groups.x * groups.y * 64u;
  let i = id.x + id.y * groups.x * 64u;
  y[i] = x[i];
  y[i + grid] = x[i + grid];
  y[i + 2u * grid] = x[i + 2u * grid];
  y[i + 3u * grid] = x[i + 3u * grid];
}
