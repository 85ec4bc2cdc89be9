// The lines in workgroup memory of attention_shared.wgsl, and how blocks of queries and keys come there.

// 64 queries each: two where there are workgroups enough, since keys and values are then read half as often.
override HALVES: u32 = 2u;

var<workgroup> lines: array<array<vec4f, 32>, 16>; // [channel, query]; then [key, channel]; what threads tell each other
var<workgroup> k_lines: array<array<vec4f, 16>, 16>; // [channel, key]: element i of vec4 x is key x + 16 i

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
    k_lines[line][four] = block[0];
    k_lines[line + 1u][four] = block[1];
    k_lines[line + 2u][four] = block[2];
    k_lines[line + 3u][four] = block[3];
  }
}
