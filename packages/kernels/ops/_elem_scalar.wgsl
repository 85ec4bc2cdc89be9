// One number at a time: for rows whose length is not a multiple of four.
alias Elem = f32;

fn elem_sum(value: Elem) -> f32 {
  return value;
}

fn elem_first(value: Elem) -> f32 {
  return value;
}

fn elem_max(value: Elem) -> f32 {
  return value;
}
