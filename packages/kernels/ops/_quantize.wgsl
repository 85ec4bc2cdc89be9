// The nearest of the 256 levels of an 8-bit sample, 0 to 255, of a value in [0, 1]; ties go to the even one.
fn level_of(value: f32) -> f32 {
  return clamp(round(255.0 * value), 0.0, 255.0);
}
