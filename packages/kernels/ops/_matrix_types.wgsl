// What kernels share that multiply by matrix units. The syntax is that of Dawn's experimental feature, which gpuweb's
// proposals/subgroup-matrix.md describes: types name columns before rows; offsets and strides count array elements.

alias Left = subgroup_matrix_left<f16, UNIT_K, UNIT_M>;
alias Right = subgroup_matrix_right<f16, UNIT_N, UNIT_K>;
alias Sum = subgroup_matrix_result<f32, UNIT_N, UNIT_M>;

// Operands are rounded to f16: a value is off by 2^-11 of itself at most, and one beyond the range becomes the largest.
// Clamped after, when two share a register and an instruction.
fn half_of(x: vec4f) -> vec4<f16> {
  return clamp(vec4<f16>(x), vec4<f16>(-65504.0h), vec4<f16>(65504.0h));
}
