// y = (1 + scale) n + shift, n = (x - mean) / sqrt(variance + eps), with mean and biased variance of each row of x.
// Gradients, with g = (1 + scale) dy and means over the row: dx = (g - mean(g) - n mean(g n)) / sqrt(variance + eps);
// dshift = sum of dy and dscale = sum of dy n over the rows of a batch.
//
// `forward` takes a team a row: 3 reads of x, of which two from the cache, 1 write, and the moments for the gradients. So
// does `backward_rows`, which notes of each row what `backward` needs: 1 read of x and dy. `backward` takes one channel (or
// four) of a strip of rows a thread, so that it reads the scale once and keeps the strip's parts of dshift and dscale to
// itself: 1 read of x and dy, 1 write; parts have 2 / 8 or 2 / 16 of the size of x.
// The variance is the mean of squared deviations; E[x^2] - E[x]^2 would cancel where |mean| >> deviation. The mean is
// summed up relative to the row's first value for the same reason.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> shift: array<Elem>;
@group(0) @binding(2) var<storage, read_write> y: array<Elem>;
@group(0) @binding(3) var<storage, read> scale: array<Elem>;
// Of each row: mean and 1 / sqrt(variance + eps).
@group(0) @binding(4) var<storage, read_write> moments: array<vec2f>;
// The gradients, which read the moments again.
@group(0) @binding(1) var<storage, read> dy: array<Elem>;
@group(0) @binding(2) var<storage, read> known: array<vec2f>;
// Of each row, with r = 1 / sqrt(variance + eps): mean, r, r mean(g) and r^2 mean(g n).
@group(0) @binding(4) var<storage, read_write> lines: array<vec4f>;
@group(0) @binding(2) var<storage, read> line_of: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dx: array<Elem>;
// [strips, 2, B, D]: of dshift, then of dscale.
@group(0) @binding(5) var<storage, read_write> parts: array<Elem>;

struct Params {
  batches: u32,
  length: u32,
  // In Elem.
  width: u32,
  // That the rows of a batch are divided into by `backward`: strip s has the rows that are s modulo `strips`.
  strips: u32,
  // One in the numbers of a row.
  share: f32,
  eps: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override MODULATED: bool = false;
// Which gradients are wanted.
override WITH_X: bool = true;
override WITH_MODULATION: bool = true;

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let index = (group.x + group.y * groups.x) * (WORKGROUP / TEAM) + thread / TEAM;
  // Teams without a row help to add up all the same.
  let row = min(index, params.batches * params.length - 1u);
  let begin = row * params.width;
  let member = thread % TEAM;

  let origin = elem_first(x[begin]);
  var sum = Elem();
  for (var i = member; i < params.width; i += TEAM) {
    sum += x[begin + i] - origin;
  }
  let mean = origin + team_sum(elem_sum(sum), thread) * params.share;

  var squares = Elem();
  for (var i = member; i < params.width; i += TEAM) {
    let deviation = x[begin + i] - mean;
    squares += deviation * deviation;
  }
  let rstd = 1.0 / sqrt(team_sum(elem_sum(squares), thread) * params.share + params.eps);

  if (index != row) {
    return;
  }
  let modulation = row / params.length * params.width;
  for (var i = member; i < params.width; i += TEAM) {
    var value = (x[begin + i] - mean) * rstd;
    if (MODULATED) {
      value = (1.0 + scale[modulation + i]) * value + shift[modulation + i];
    }
    y[begin + i] = value;
  }
  if (member == 0u) {
    moments[row] = vec2f(mean, rstd);
  }
}

// dy becomes g by the factor of its channel.
fn factor(at: u32) -> Elem {
  if (MODULATED) {
    return 1.0 + scale[at];
  }
  return Elem(1.0);
}

@compute @workgroup_size(WORKGROUP)
fn backward_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let index = (group.x + group.y * groups.x) * (WORKGROUP / TEAM) + thread / TEAM;
  let row = min(index, params.batches * params.length - 1u);
  let begin = row * params.width;
  let modulation = row / params.length * params.width;
  let member = thread % TEAM;
  let m = known[row];
  var sum = Elem();
  var products = Elem();
  for (var i = member; i < params.width; i += TEAM) {
    let g = factor(modulation + i) * dy[begin + i];
    sum += g;
    products += g * (x[begin + i] - m.x);
  }
  let mean = team_sum(elem_sum(sum), thread) * params.share;
  let slope = m.y * m.y * team_sum(elem_sum(products), thread) * params.share;
  if (index == row && member == 0u) {
    lines[row] = vec4f(m, m.y * vec2f(mean, slope));
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let row_size = params.batches * params.width; // of [B, D]
  let strip = i / row_size;
  if (strip >= params.strips) {
    return;
  }
  let column = i % row_size;
  let batch = column / params.width;
  let weight = factor(column);
  var shift_part = Elem();
  var scale_part = Elem();
  for (var token = strip; token < params.length; token += params.strips) {
    let row = batch * params.length + token;
    let at = row * params.width + column - batch * params.width;
    let line = line_of[row];
    let centred = x[at] - line.x;
    let gradient = dy[at];
    if (WITH_X) {
      dx[at] = line.y * (weight * gradient) - line.z - line.w * centred;
    }
    shift_part += gradient;
    scale_part += gradient * centred * line.y;
  }
  if (WITH_MODULATION) {
    let to = 2u * strip * row_size + column;
    parts[to] = shift_part;
    parts[to + row_size] = scale_part;
  }
}
