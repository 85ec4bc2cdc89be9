// As _addend_distances_scalar.wgsl, four numbers at a time, which begin anywhere.
@group(0) @binding(1) var<storage, read> distances: array<f32>;

fn addend_begin(row: u32) -> u32 {
  return first_distance(row, 4u * params.width);
}

fn addend(begin: u32, i: u32) -> Elem {
  let at = begin + 4u * i;
  return vec4f(distances[at], distances[at + 1u], distances[at + 2u], distances[at + 3u]);
}
