// 2x2 max pooling with stride 2 of every channel: y[b, i, j, c] = max of x[b, 2i..2i + 1, 2j..2j + 1, c]. An odd last row
// or column is left out. The gradient goes to the first largest of a window, row by row, as in PyTorch.
//
// One thread a channel (or four) of a window: 4 reads, 1 write; `backward` looks for the largest again instead of reading
// where it was: 5 reads, 4 writes. Its windows cover all of x: those cut off by the edge have no gradient.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
// backward
@group(0) @binding(1) var<storage, read> dy: array<Elem>;
@group(0) @binding(2) var<storage, read_write> dx: array<Elem>;

struct Params {
  // Of x.
  batches: u32,
  height: u32,
  width: u32,
  // In Elem.
  channels: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

// A channel of a window: (batch, row, column) of y.
struct Window {
  at: vec3u,
  channel: u32,
}

// Window i of those that are `size` rows and columns in each batch.
fn window_of(i: u32, size: vec2u) -> Window {
  let pixel = i / params.channels;
  let line = pixel / size.y;
  return Window(vec3u(line / size.x, line % size.x, pixel % size.y), i % params.channels);
}

// Where the first of the window's values is in x.
fn corner(window: Window) -> u32 {
  let row = window.at.x * params.height + 2u * window.at.y;
  return (row * params.width + 2u * window.at.z) * params.channels + window.channel;
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let window = window_of(i, vec2u(params.height, params.width) / 2u);
  if (window.at.x >= params.batches) {
    return;
  }
  let at = corner(window);
  let below = at + params.width * params.channels;
  y[i] = max(max(x[at], x[at + params.channels]), max(x[below], x[below + params.channels]));
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let whole = vec2u(params.height, params.width) / 2u;
  let window = window_of(i, (vec2u(params.height, params.width) + 1u) / 2u);
  if (window.at.x >= params.batches) {
    return;
  }
  let at = corner(window);
  let right = at + params.channels;
  let below = at + params.width * params.channels;
  let across = below + params.channels;
  if (all(window.at.yz < whole)) {
    let a = x[at];
    let b = x[right];
    let c = x[below];
    let d = x[across];
    let upper = max(a, b);
    let lower = max(c, d);
    let pixel = (window.at.x * whole.x + window.at.y) * whole.y + window.at.z;
    let gradient = dy[pixel * params.channels + window.channel];
    let above = select(Elem(), gradient, upper >= lower);
    let beneath = select(gradient, Elem(), upper >= lower);
    dx[at] = select(Elem(), above, a >= b);
    dx[right] = select(above, Elem(), a >= b);
    dx[below] = select(Elem(), beneath, c >= d);
    dx[across] = select(beneath, Elem(), c >= d);
    return;
  }
  dx[at] = Elem();
  if (window.at.z < whole.y) {
    dx[right] = Elem();
  }
  if (window.at.y < whole.x) {
    dx[below] = Elem();
  }
}
