// θ ← θ − lr · (scale · x + λ θ) for a matrix, four neighbours an invocation.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let i = linear(id, workgroups, WORKGROUP_X);
    if (i >= LEN4 || control[1] != 0.0) {
        return;
    }
    let p = parameters[FIRST4 + i];
    parameters[FIRST4 + i] = p - step.learning_rate * (SCALE * x[i] + WEIGHT_DECAY * p);
}
