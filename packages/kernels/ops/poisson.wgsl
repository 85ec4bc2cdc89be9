// Poisson (photon) noise of an 8-bit picture: y = P / n - q, P ~ Poisson(n q), where q is x rounded to 8 bits and n the
// number of different levels in x, rounded up to a power of two (Real-ESRGAN, generate_poisson_noise_pt).
//
// n q is at most 256. P is the sum of four Poisson numbers of a quarter of that mean m <= 64 each, whose probabilities
// e^-m m^k / k! do not underflow; each is the inverse of their running sum at one word of the element's Philox counter.
// One thread an element: 1 read, 1 write, about n q + 4 steps. `levels`: one workgroup marks the levels it finds.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> n: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
// levels
@group(0) @binding(1) var<storage, read_write> levels_out: array<f32>;

struct Params {
  count: u32,
  seed: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

fn poisson(mean: f32, word: u32) -> f32 {
  let u = f32(word) * 0x1p-32 + 0x1p-33;
  var k = 0.0;
  var probability = exp(-mean);
  var sum = probability;
  // Rounded sums may end below a u near 1: beyond the mean, steps that are too small to reach it end the search.
  while (u > sum && (k < mean || probability > 0x1p-27)) {
    k += 1.0;
    probability *= mean / k;
    sum += probability;
  }
  return k;
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let q = level_of(x[i]) / 255.0;
  let mean = 0.25 * n[0] * q;
  let words = philox(vec4u(i, 0u, 0u, 0u), vec2u(params.seed, 0u));
  let photons = poisson(mean, words.x) + poisson(mean, words.y) + poisson(mean, words.z) + poisson(mean, words.w);
  y[i] = photons / n[0] - q;
}

// A bit for each of the 256 levels.
var<workgroup> seen: array<array<u32, 8>, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn levels(@builtin(local_invocation_index) thread: u32) {
  var found = array<u32, 8>();
  for (var i = thread; i < params.count; i += WORKGROUP) {
    let level = u32(level_of(x[i]));
    found[level / 32u] |= 1u << (level % 32u);
  }
  seen[thread] = found;
  workgroupBarrier();
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (thread < half) {
      for (var word = 0u; word < 8u; word++) {
        seen[thread][word] |= seen[thread + half][word];
      }
    }
    workgroupBarrier();
  }
  if (thread == 0u) {
    var different = 0u;
    for (var word = 0u; word < 8u; word++) {
      different += countOneBits(seen[0][word]);
    }
    levels_out[0] = f32(1u << (32u - countLeadingZeros(different - 1u)));
  }
}
