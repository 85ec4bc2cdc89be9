// Does nothing: its name in a profile says which stage of the work comes next.

@compute @workgroup_size(1)
fn mark() {}
