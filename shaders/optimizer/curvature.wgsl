// h ← β₂ h + (1 − β₂) ĝ² over an arena, four neighbours an invocation.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let i = linear(id, workgroups, WORKGROUP_X);
    if (i >= LEN4 || control[1] != 0.0) {
        return;
    }
    let g = gradients[i] * control[0];
    h[i] = BETA2 * h[i] + REST2 * g * g;
}
