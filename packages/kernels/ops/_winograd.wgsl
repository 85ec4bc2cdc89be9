// Polynomials of degree 2 and 5, given by their coefficients, and their values at 0, A, -A, B, -B and infinity: what
// Winograd's convolution (winograd.wgsl) transforms to and from. Even and odd powers are summed apart.
//
// Accuracy: with these A and B the root mean square of the error of a convolution of 64 channels is twice that of a sum
// over taps in f32; with 1 and 2, which the paper has, four times.

const A = 0.75;
const B = 1.5;
const AA = A * A;
const BB = B * B;

struct Three { a: Elem, b: Elem, c: Elem }
struct Four { a: Elem, b: Elem, c: Elem, d: Elem }
struct Six { a: Elem, b: Elem, c: Elem, d: Elem, e: Elem, f: Elem }

// G g: three taps.
fn times_g(g: Three) -> Six {
  let even_a = (g.a + AA * g.c) / (2.0 * AA * (AA - BB));
  let odd_a = A * g.b / (2.0 * AA * (AA - BB));
  let even_b = (g.a + BB * g.c) / (2.0 * BB * (BB - AA));
  let odd_b = B * g.b / (2.0 * BB * (BB - AA));
  return Six(g.a / (AA * BB), even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, g.c);
}

// B^T d: six pixels.
fn times_b(d: Six) -> Six {
  let even_a = d.e - BB * d.c;
  let odd_a = A * (d.d - BB * d.b);
  let even_b = d.e - AA * d.c;
  let odd_b = B * (d.d - AA * d.b);
  return Six(
    AA * BB * d.a - (AA + BB) * d.c + d.e,
    even_a + odd_a,
    even_a - odd_a,
    even_b + odd_b,
    even_b - odd_b,
    AA * BB * d.b - (AA + BB) * d.d + d.f,
  );
}

// A^T m: four results.
fn times_a(m: Six) -> Four {
  let even_a = m.b + m.c;
  let odd_a = A * (m.b - m.c);
  let even_b = m.d + m.e;
  let odd_b = B * (m.d - m.e);
  return Four(m.a + even_a + even_b, odd_a + odd_b, AA * even_a + BB * even_b, AA * odd_a + BB * odd_b + m.f);
}
