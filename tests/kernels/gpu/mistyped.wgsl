// Parses but is not valid, for the test of the error message.

@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(1)
fn forward() {
  let x = vec2f(1.0) + vec3f(1.0);
  y[0] = x.x;
}
