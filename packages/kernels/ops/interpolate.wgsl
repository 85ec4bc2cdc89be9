// Resampling by tables: y[i, j] = sum_ab row_weight[i, a] column_weight[j, b] x[first_row[i] + a, first_column[j] + b],
// places beyond the edges standing for the edge. A line of a table is the first sample, then the weights.
// One thread a channel of a pixel: as many reads of x as there are taps, and 1 write.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<f32>;
@group(0) @binding(2) var<storage, read> columns: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

struct Params {
  count: u32,
  // Of x.
  height: u32,
  width: u32,
  // Of y.
  height_out: u32,
  width_out: u32,
  channels: u32,
  row_taps: u32,
  column_taps: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

fn within(place: i32, size: u32) -> u32 {
  return u32(clamp(place, 0, i32(size) - 1));
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let channel = i % params.channels;
  let pixel = i / params.channels;
  let column = pixel % params.width_out * (params.column_taps + 1u);
  let line = pixel / params.width_out;
  let row = line % params.height_out * (params.row_taps + 1u);
  let start = line / params.height_out * params.height; // rows of the batches before
  let top = i32(rows[row]);
  let left = i32(columns[column]);

  var sum = 0.0;
  for (var a = 0u; a < params.row_taps; a++) {
    let from_row = (start + within(top + i32(a), params.height)) * params.width;
    var part = 0.0;
    for (var b = 0u; b < params.column_taps; b++) {
      let at = from_row + within(left + i32(b), params.width);
      part += columns[column + 1u + b] * x[at * params.channels + channel];
    }
    sum += rows[row + 1u + a] * part;
  }
  y[i] = sum;
}
