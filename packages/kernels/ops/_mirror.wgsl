// The place of `position` in 0 .. size - 1, mirrored at both ends without repeating them, as often as it takes (reflect
// padding).
fn mirror(position: i32, size: u32) -> u32 {
  // Nearly all lie inside, and a division is dear.
  if (position >= 0 && u32(position) < size) {
    return u32(position);
  }
  if (size == 1u) {
    return 0u;
  }
  let period = 2u * (size - 1u);
  let phase = u32(abs(position)) % period;
  return min(phase, period - phase);
}
