// The lines in workgroup memory of _product_shared.wgsl, and how blocks of A and B come there.
//
// A line is a step of K: the whole height of the tile of A, the whole width of that of B. Lines are arrays of their own:
// where a step is literal, only the place in the line is left to compute, and to check, which is the same in four steps.

// Threads along either side of the workgroup, and lines held: 8 or 16.
override GRID: u32 = 16u;
// Times four rows of A that a thread multiplies: 1 or 2.
override HALVES: u32 = 2u;
// Whether rows of A, not steps of K, are neighbours in memory.
override A_TRANSPOSED: bool = false;

var<workgroup> a_lines: array<array<vec4f, 32>, GRID>; // HALVES GRID are used: four rows each
var<workgroup> b_lines: array<array<vec4f, 32>, GRID>; // 2 GRID are used: four columns each

// Four steps, from `k` on, of the four rows or columns of this thread, untouched; zero from step `depth` on.
fn fetch(brings_a: bool, k: u32, depth: u32) -> Held {
  if (k >= depth) {
    return Held();
  }
  if (brings_a) {
    let rows = read_rows(k);
    return Held(bitcast<vec4u>(rows[0]), bitcast<vec4u>(rows[1]), bitcast<vec4u>(rows[2]), bitcast<vec4u>(rows[3]));
  }
  return hold_b(k);
}

// What was fetched at `k`: a step is a column.
fn block_of(brings_a: bool, k: u32, held: Held) -> mat4x4f {
  if (brings_a) {
    let rows = mat4x4f(bitcast<vec4f>(held[0]), bitcast<vec4f>(held[1]), bitcast<vec4f>(held[2]), bitcast<vec4f>(held[3]));
    return transpose(block_of_a(rows, there(k)));
  }
  return block_of_b(held);
}

// Where in line `k` four rows or columns are. Eight neighbouring threads bring eight fours of the same steps, or the steps
// of GRID / 4 blocks of few fours: either way each writes to another eighth of the banks.
fn place(k: u32, four: u32) -> u32 {
  return four ^ (k / 4u * (32u / GRID));
}

fn put(brings_a: bool, k: u32, four: u32, block: mat4x4f) {
  let at = place(k, four);
  if (brings_a) {
    a_lines[k][at] = block[0];
    a_lines[k + 1u][at] = block[1];
    a_lines[k + 2u][at] = block[2];
    a_lines[k + 3u][at] = block[3];
  } else {
    b_lines[k][at] = block[0];
    b_lines[k + 1u][at] = block[1];
    b_lines[k + 2u][at] = block[2];
    b_lines[k + 3u][at] = block[3];
  }
}
