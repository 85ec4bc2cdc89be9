// The lines in workgroup memory of attention_shared.wgsl and attention_backward_shared.wgsl, and how blocks of rows and
// columns come there.

// 64 rows each: two where there are workgroups enough, since columns are then read half as often.
override HALVES: u32 = 2u;

var<workgroup> lines: array<array<vec4f, 32>, 16>; // [channel, row]; then [column, channel]; what threads tell each other
var<workgroup> column_lines: array<array<vec4f, 16>, 16>; // [channel, column]: element i of vec4 x is column x + 16 i

// Where in line `line` four tokens are: eight neighbouring threads write to an eighth of the banks each.
fn place(line: u32, four: u32) -> u32 {
  return four ^ (line / 4u * 2u);
}

fn put_block(i: u32, block: mat4x4f) {
  let j = i % (64u * HALVES);
  let line = j % 4u * 4u;
  let four = place(line, j / 4u);
  if (i < 64u * HALVES) {
    lines[line][four] = block[0];
    lines[line + 1u][four] = block[1];
    lines[line + 2u][four] = block[2];
    lines[line + 3u][four] = block[3];
  } else if (i < 64u * HALVES + 64u) {
    column_lines[line][four] = block[0];
    column_lines[line + 1u][four] = block[1];
    column_lines[line + 2u][four] = block[2];
    column_lines[line + 3u][four] = block[3];
  }
}

// Where a token begins that is one of `count`; the last stands in beyond the end.
fn token(base: u32, at: u32, count: u32) -> u32 {
  return base + min(at, count - 1u) * params.heads * params.width;
}

// Four of them, `apart`.
fn tokens(base: u32, at: u32, apart: u32, count: u32) -> vec4u {
  return vec4u(
    token(base, at, count),
    token(base, at + apart, count),
    token(base, at + 2u * apart, count),
    token(base, at + 3u * apart, count),
  );
}

// Column and row of thread `i`: eight by four neighbours read few different words, and are told apart from others late.
fn place_of_thread(i: u32) -> vec2u {
  return vec2u(i / 32u % 2u * 8u + i % 8u, i / 64u * 4u + i / 8u % 4u);
}
