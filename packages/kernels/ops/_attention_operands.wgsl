// What all ways of computing attention are given, and what they leave.

@group(0) @binding(0) var<storage, read> q: array<vec4f>;
@group(0) @binding(1) var<storage, read> k: array<vec4f>;
@group(0) @binding(2) var<storage, read> v: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;

struct Params {
  queries: u32,
  keys: u32,
  heads: u32,
  // vec4s of a head
  width: u32,
  scale: f32,
}
@group(1) @binding(0) var<uniform> params: Params;
