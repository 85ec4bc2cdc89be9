// Philox 4x32-10: four random words for every counter under a key.
// J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (SC 2011); vectors: Random123, tests/kat_vectors.

// Low and high word of a b; WGSL has no 64-bit product, so the high one is made of 16-bit halves.
fn multiply(a: u32, b: u32) -> vec2u {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let middle = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
  return vec2u(a * b, (a >> 16u) * (b >> 16u) + (cross >> 16u) + (middle >> 16u));
}

fn philox_round(counter: vec4u, key: vec2u) -> vec4u {
  let p = multiply(0xd2511f53u, counter.x);
  let q = multiply(0xcd9e8d57u, counter.z);
  return vec4u(q.y ^ counter.y ^ key.x, q.x, p.y ^ counter.w ^ key.y, p.x);
}

fn philox(start: vec4u, start_key: vec2u) -> vec4u {
  var counter = philox_round(start, start_key);
  var key = start_key;
  for (var i = 1u; i < 10u; i++) {
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
    counter = philox_round(counter, key);
  }
  return counter;
}
