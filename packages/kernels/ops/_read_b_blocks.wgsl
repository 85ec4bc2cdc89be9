// Reads B stored as ggml's quantised blocks: bytes in u32, where a block begins at any even byte. The layout stays that
// of the file, so that nothing is repacked on the host and views of rows are views of bytes.
@group(0) @binding(1) var<storage, read> b: array<u32>;

// Four bytes from an even byte on.
fn word_at(at: u32) -> u32 {
  let low = b[at / 4u];
  if (at % 4u == 0u) {
    return low;
  }
  return (low >> 16u) | (b[at / 4u + 1u] << 16u);
}

fn byte_at(at: u32) -> u32 {
  return (b[at / 4u] >> (at % 4u * 8u)) & 0xffu;
}

// The f16 at an even byte.
fn half_at(at: u32) -> f32 {
  return unpack2x16float(b[at / 4u] >> (at % 4u * 8u)).x;
}

fn bytes_of(word: u32) -> vec4u {
  return (vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu);
}

// Blocks are unpacked as they are read: each chunk's raw_b returns values.
fn value_of_b(raw: vec4u) -> vec4f {
  return bitcast<vec4f>(raw);
}
