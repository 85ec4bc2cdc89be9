// Four neighbouring numbers at a time: one memory access instead of four.
alias Elem = vec4f;

fn elem_sum(value: Elem) -> f32 {
  return (value.x + value.y) + (value.z + value.w);
}

fn elem_first(value: Elem) -> f32 {
  return value.x;
}

fn elem_max(value: Elem) -> f32 {
  return max(max(value.x, value.y), max(value.z, value.w));
}
