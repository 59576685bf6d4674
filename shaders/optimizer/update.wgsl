// One rule over an arena, four neighbours an invocation; the first DECAYED4 · 4 elements decay.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let i = linear(id, workgroups, WORKGROUP_X);
    if (i >= LEN4 || control[1] != 0.0) {
        return;
    }
    let decay = select(0.0, WEIGHT_DECAY, i < DECAYED4);
    parameters[i] = update(i, parameters[i], gradients[i] * control[0], decay);
}
