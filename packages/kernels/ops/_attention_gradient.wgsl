// What all ways of computing a gradient of attention are given, and what they leave: see attention_backward.wgsl.

@group(0) @binding(0) var<storage, read> rows_a: array<vec4f>;
@group(0) @binding(1) var<storage, read> columns_a: array<vec4f>;
@group(0) @binding(2) var<storage, read> rows_b: array<vec4f>;
@group(0) @binding(3) var<storage, read> columns_b: array<vec4f>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> gradient: array<vec4f>;

struct Params {
  rows: u32,
  columns: u32,
  heads: u32,
  // vec4s of a head
  width: u32,
  scale: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

// Whether rows are keys and columns queries, whose lse and delta are then those of the columns.
override BY_KEY: bool = false;
// Whether the result is dv.
override VALUES: bool = false;

// Stores a vec4 of the result of the row that begins at `at`; channels beyond the head are not there.
fn write(at: u32, channel: u32, value: vec4f) {
  if (channel < params.width) {
    gradient[at + channel] = select(params.scale, 1.0, VALUES) * value;
  }
}
