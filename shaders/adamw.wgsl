// AdamW over an arena, four neighbours an invocation; the first DECAYED4 · 4 elements decay.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let i = linear(id, workgroups, WORKGROUP_X);
    if (i >= LEN4 || control[1] != 0.0) {
        return;
    }
    let g = gradients[i] * control[0];
    let p = parameters[i];
    let new_m = BETA1 * m[i] + REST1 * g;
    let new_v = BETA2 * v[i] + REST2 * g * g;
    m[i] = new_m;
    v[i] = new_v;
    let direction = new_m / step.correction1 / (sqrt(new_v / step.correction2) + EPSILON);
    let decay = select(0.0, WEIGHT_DECAY, i < DECAYED4);
    parameters[i] = p - step.learning_rate * (direction + decay * p);
}
