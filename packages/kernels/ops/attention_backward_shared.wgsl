// The gradients of attention, as attention_backward.wgsl says, for hardware, by the plan of attention_shared.wgsl: a
// workgroup of 16 x 16 threads keeps 64 HALVES rows of the gradient and walks over the columns 64 at a time. Products of
// a become P in `weights`, products of b make dS of it in the same place, and what columns count for rows is multiplied
// by what they bring. Heads wider than 128 channels are split over workgroups, which repeat the products.
//
// All are [B, L, H, D] with D a multiple of 4; lse and delta are [B, H, Lq].

// Of the thread's rows, four in each half, where rows are queries.
var<private> row_lse: array<vec4f, 2>;
var<private> row_delta: array<vec4f, 2>;

fn rows_block(second: bool, at: vec4u) -> mat4x4f {
  if (second) {
    return transpose(mat4x4f(rows_b[at.x], rows_b[at.y], rows_b[at.z], rows_b[at.w]));
  }
  return transpose(mat4x4f(rows_a[at.x], rows_a[at.y], rows_a[at.z], rows_a[at.w]));
}

fn columns_block(second: bool, at: vec4u) -> mat4x4f {
  if (second) {
    return transpose(mat4x4f(columns_b[at.x], columns_b[at.y], columns_b[at.z], columns_b[at.w]));
  }
  return transpose(mat4x4f(columns_a[at.x], columns_a[at.y], columns_a[at.z], columns_a[at.w]));
}

// Four channels of four rows, or of four columns 16 apart, a channel a column: what `i` brings of the lines of `chunk`,
// which counts on from a to b.
fn fetch_block(i: u32, bases: vec2u, starts: vec2u, chunk: u32) -> mat4x4f {
  let chunks = (params.width + 3u) / 4u;
  let second = chunk >= chunks;
  let j = i % (64u * HALVES);
  let channel = 4u * (chunk - select(0u, chunks, second)) + j % 4u;
  if (channel >= params.width || i >= 64u * HALVES + 64u) {
    return mat4x4f();
  }
  if (i < 64u * HALVES) {
    return rows_block(second, tokens(bases.x, starts.x + j / 4u * 4u, 1u, params.rows) + channel);
  }
  return columns_block(second, tokens(bases.y, starts.y + j / 4u, 16u, params.columns) + channel);
}

// Four channels of what a column brings: what thread `i` brings of those from `first` on.
fn fetch_value(i: u32, base: u32, first: u32, channel: u32) -> vec4f {
  if (channel >= params.width || (!WIDE && i % 32u >= 16u)) {
    return vec4f();
  }
  let at = token(base, first + i / 32u, params.columns) + channel;
  if (VALUES) {
    return columns_b[at];
  }
  return columns_a[at];
}

// What the column x + 16 c of the block counts for the four rows of a half, of whose products with it `s` is: P of the
// first, dS of that and the second.
fn weigh(second: bool, half: u32, c: u32, s: vec4f, first: u32, line: u32) {
  let column = first + x + 16u * c;
  let at = line + min(column, params.columns - 1u);
  if (second) {
    var offset = row_delta[half];
    if (BY_KEY) {
      offset = vec4f(delta[at]);
    }
    weights[4u * half + c][x][y] *= s - offset;
  } else {
    var offset = row_lse[half];
    if (BY_KEY) {
      offset = vec4f(lse[at]);
    }
    let p = exp(params.scale * s - offset);
    weights[4u * half + c][x][y] = select(vec4f(), p, column < params.columns);
  }
}

fn weigh_half(second: bool, half: u32, first: u32, line: u32) {
  let r = 4u * half;
  let s = transpose(mat4x4f(scores[r], scores[r + 1u], scores[r + 2u], scores[r + 3u]));
  weigh(second, half, 0u, s[0], first, line);
  weigh(second, half, 1u, s[1], first, line);
  weigh(second, half, 2u, s[2], first, line);
  weigh(second, half, 3u, s[3], first, line);
}

fn load_offsets(half: u32, start: u32, line: u32) {
  let at = line + min(vec4u(start + 64u * half + 4u * y) + vec4u(0u, 1u, 2u, 3u), vec4u(params.rows - 1u));
  row_lse[half] = vec4f(lse[at.x], lse[at.y], lse[at.z], lse[at.w]);
  row_delta[half] = vec4f(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
}

@compute @workgroup_size(256)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) i: u32) {
  let place = place_of_thread(i);
  x = place.x;
  y = place.y;
  let step = params.heads * params.width;
  let head = group.y % params.heads;
  let part = group.y / params.heads * 32u; // the first channel of this workgroup, in vec4s
  let start = group.x * 64u * HALVES;
  let bases = vec2u(group.z * params.rows, group.z * params.columns) * step + head * params.width;
  let line = (group.z * params.heads + head) * select(params.rows, params.columns, BY_KEY);
  let chunks = (params.width + 3u) / 4u;
  let turns = select(2u, 1u, VALUES); // dv needs no products of b
  if (!BY_KEY) {
    load_offsets(0u, start, line);
    if (HALVES > 1u) {
      load_offsets(1u, start, line);
    }
  }
  var block = fetch_block(i, bases, vec2u(start, 0u), 0u);
  for (var first = 0u; first < params.columns; first += 64u) {
    for (var turn = 0u; turn < turns; turn++) {
      scores = array<vec4f, 8>();
      for (var chunk = turn * chunks; chunk < (turn + 1u) * chunks; chunk++) {
        workgroupBarrier(); // the lines are done with
        put_block(i, block);
        workgroupBarrier();
        if (chunk + 1u < turns * chunks) {
          block = fetch_block(i, bases, vec2u(start, first), chunk + 1u);
        }
        score_lines();
      }
      weigh_half(turn > 0u, 0u, first, line);
      if (HALVES > 1u) {
        weigh_half(turn > 0u, 1u, first, line);
      }
    }
    var value = fetch_value(i, bases.y, first, part + i % 32u);
    var second = fetch_value(i, bases.y, first + 8u, part + i % 32u);
    let last = min(64u, params.columns - first);
    for (var sixteen = 0u; 16u * sixteen < last; sixteen++) {
      workgroupBarrier();
      lines[i / 32u][i % 32u] = value;
      lines[i / 32u + 8u][i % 32u] = second;
      workgroupBarrier();
      if (16u * sixteen + 16u < last) {
        value = fetch_value(i, bases.y, first + 16u * sixteen + 16u, part + i % 32u);
        second = fetch_value(i, bases.y, first + 16u * sixteen + 24u, part + i % 32u);
      } else {
        block = fetch_block(i, bases, vec2u(start, first + 64u), 0u);
      }
      weigh_lines(sixteen);
    }
  }
  finish_half(0u, start, bases.x, part);
  if (HALVES > 1u) {
    finish_half(1u, start, bases.x, part);
  }
}

fn finish_half(half: u32, start: u32, base: u32, part: u32) {
  let row = start + 64u * half + 4u * y;
  finish(4u * half, row, base, part);
  finish(4u * half + 1u, row + 1u, base, part);
  finish(4u * half + 2u, row + 2u, base, part);
  finish(4u * half + 3u, row + 3u, base, part);
}

fn finish(r: u32, row: u32, base: u32, part: u32) {
  if (row >= params.rows) {
    return;
  }
  let at = base + row * params.heads * params.width;
  write(at, part + x, sums[2u * r]);
  if (WIDE) {
    write(at, part + 16u + x, sums[2u * r + 1u]);
  }
}
