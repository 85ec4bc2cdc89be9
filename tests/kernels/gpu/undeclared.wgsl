// Does not parse, for the test of the error message.

@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(1)
fn forward() {
  y[0] = undeclared + 1.0;
}
