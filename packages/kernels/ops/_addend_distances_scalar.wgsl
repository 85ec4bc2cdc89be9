// The addend of a softmax depends on the distance, see _addend_distances.wgsl.
@group(0) @binding(1) var<storage, read> distances: array<f32>;

fn addend_begin(row: u32) -> u32 {
  return first_distance(row, params.width);
}

fn addend(begin: u32, i: u32) -> Elem {
  return distances[begin + i];
}
