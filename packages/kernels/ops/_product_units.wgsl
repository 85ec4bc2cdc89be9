// The matrices in registers that a subgroup of _product_matrix.wgsl multiplies: 4 x 4 units, a quarter of the tile.

// Element 4 i + j: the i-th unit down and the j-th across.
alias Sums = array<Sum, 16>;

const UNIT_SIZE = UNIT_M * UNIT_N / 4u;

// A unit of each subgroup, on the way from registers to C.
var<workgroup> parked: array<vec4f, 4u * UNIT_SIZE>;

// Row and column in the tile of a unit of a subgroup.
fn unit_corner(unit: u32, subgroup: u32) -> vec2u {
  return vec2u((subgroup / 2u * 4u + unit / 4u) * UNIT_M, (subgroup % 2u * 4u + unit % 4u) * UNIT_N);
}

fn multiply(subgroup: u32, sums: ptr<function, Sums>) {
  let corner = unit_corner(0u, subgroup);
  for (var k = 0u; k < DEPTH; k += UNIT_K) {
    var left: array<Left, 4>;
    for (var i = 0u; i < 4u; i++) {
      left[i] = subgroupMatrixLoad<Left, row_major>(&a_tile, (corner.x + i * UNIT_M) * A_PITCH + k / 4u, A_PITCH);
    }
    for (var j = 0u; j < 4u; j++) {
      let right = subgroupMatrixLoad<Right, row_major>(&b_tile, k * B_PITCH + corner.y / 4u + j * UNIT_N / 4u, B_PITCH);
      for (var i = 0u; i < 4u; i++) {
        let at = 4u * i + j;
        sums[at] = subgroupMatrixMultiplyAccumulate(left[i], right, sums[at]);
      }
    }
  }
}
