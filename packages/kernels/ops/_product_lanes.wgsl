// How a product C = A B is computed where a subgroup has 8 lanes, as on llvmpipe; what A, B and C are, says the op.
//
// A workgroup is one subgroup and owns 32 rows x 32 columns of C: each lane four neighbouring columns of all 32 rows, in
// registers. Storage is read as seldom as can be, since a read costs this adapter as much as 36 multiply-adds: for four
// steps of K each lane reads the 4 x 4 of B for its columns and four rows of A, which the shuffles (one instruction) hand
// round: 32 rows for 4 reads. There is no workgroup memory, which is no faster than storage here. Inner loops are unrolled
// by hand, since every WGSL loop costs a bounds counter, and indices of `sums` are literals, so that it stays in registers.
//
// The op provides: extent() -> rows and columns of C; open(z) for batch z; place_rows and place_columns, told once; the
// segments(z) of K that it has; enter(segment, z) -> steps in it; load_a(k) -> four steps of K for each placed row, and
// load_b(k) -> four steps of K, each for four columns from the placed one on, or what _product_a.wgsl and _product_b.wgsl
// make them of; store_four.

// Rows of C, 32, 16 or 8: few rows need no more.
override ROWS: u32 = 32u;
// Whether neighbouring rows of A are neighbours in memory: then a lane takes four of them.
override A_TRANSPOSED: bool = false;

// Element 8 i + j: the row that lane j holds as its i-th; columns of this lane. Sums are those of a segment: added to the
// totals at its end, they carry the rounding errors of fewer terms.
var<private> sums: array<vec4f, 32>;
var<private> totals: array<vec4f, 32>;

fn eight_rows(i: u32, x: vec4f, w: mat4x4f) {
  sums[8u * i] += w * subgroupShuffle(x, 0u);
  sums[8u * i + 1u] += w * subgroupShuffle(x, 1u);
  sums[8u * i + 2u] += w * subgroupShuffle(x, 2u);
  sums[8u * i + 3u] += w * subgroupShuffle(x, 3u);
  sums[8u * i + 4u] += w * subgroupShuffle(x, 4u);
  sums[8u * i + 5u] += w * subgroupShuffle(x, 5u);
  sums[8u * i + 6u] += w * subgroupShuffle(x, 6u);
  sums[8u * i + 7u] += w * subgroupShuffle(x, 7u);
}

fn total(row: u32) {
  totals[row] += sums[row];
  sums[row] = vec4f();
}

fn total_eight(i: u32) {
  total(8u * i);
  total(8u * i + 1u);
  total(8u * i + 2u);
  total(8u * i + 3u);
  total(8u * i + 4u);
  total(8u * i + 5u);
  total(8u * i + 6u);
  total(8u * i + 7u);
}

// The i-th row of a lane, in a tile that begins at row `first`.
fn row_of(first: u32, i: u32, lane: u32) -> u32 {
  return first + select(8u * i + lane, 4u * lane + i, A_TRANSPOSED);
}

fn store_eight(first: u32, i: u32, column: u32) {
  store_four(row_of(first, i, 0u), column, totals[8u * i]);
  store_four(row_of(first, i, 1u), column, totals[8u * i + 1u]);
  store_four(row_of(first, i, 2u), column, totals[8u * i + 2u]);
  store_four(row_of(first, i, 3u), column, totals[8u * i + 3u]);
  store_four(row_of(first, i, 4u), column, totals[8u * i + 4u]);
  store_four(row_of(first, i, 5u), column, totals[8u * i + 5u]);
  store_four(row_of(first, i, 6u), column, totals[8u * i + 6u]);
  store_four(row_of(first, i, 7u), column, totals[8u * i + 7u]);
}

// Row and column of a tile. Bands of eight rows of tiles go column by column: what is read of B for a column, and of A for
// a band, stays in the caches.
fn tile_at(tile: u32, tiles: vec2u) -> vec2u {
  let band = tile / (8u * tiles.y) * 8u;
  let height = min(8u, tiles.x - min(band, tiles.x - 1u));
  let within = tile % (8u * tiles.y);
  return vec2u(band + within % height, within / height);
}

@compute @workgroup_size(8)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let place = tile_at(group.x + group.y * groups.x, (extent() + vec2u(ROWS - 1u, 31u)) / vec2u(ROWS, 32u));
  let first = place.x * ROWS;
  let column = place.y * 32u + 4u * lane;
  if (first >= extent().x) {
    return;
  }
  open(group.z);
  place_rows(vec4u(row_of(first, 0u, lane), row_of(first, 1u, lane), row_of(first, 2u, lane), row_of(first, 3u, lane)));
  place_columns(column);
  let range = segments(group.z);
  for (var segment = range.x; segment < range.y; segment++) {
    let depth = enter(segment, group.z);
    for (var k = 0u; k < depth; k += 4u) {
      let w = load_b(k);
      let x = load_a(k);
      eight_rows(0u, x[0], w);
      if (ROWS > 8u) {
        eight_rows(1u, x[1], w);
      }
      if (ROWS > 16u) {
        eight_rows(2u, x[2], w);
        eight_rows(3u, x[3], w);
      }
    }
    total_eight(0u);
    if (ROWS > 8u) {
      total_eight(1u);
    }
    if (ROWS > 16u) {
      total_eight(2u);
      total_eight(3u);
    }
  }
  store_eight(first, 0u, column);
  if (ROWS > 8u) {
    store_eight(first, 1u, column);
  }
  if (ROWS > 16u) {
    store_eight(first, 2u, column);
    store_eight(first, 3u, column);
  }
}
