// y = x · mask, one invocation four neighbours.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let index = linear(id, workgroups, WORKGROUP_X);
    if (index >= ROWS * WIDTH4) {
        return;
    }
    y[index] = drop(x[index], index / WIDTH4, index % WIDTH4 * 4u);
}
