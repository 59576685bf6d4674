// θ ← θ − lr · (max(ε₂, RMS(θ)) · U / max(1, RMS(U)) + λ θ), one workgroup a chunk.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let group = linear(group_id, groups, 1u);
    if (group >= CHUNKS) {
        return;
    }
    let total = total_of_rows(local);
    var own = vec2f();
    for (var i = local; i < CHUNKS; i += WORKGROUP_X) {
        own += vec2f(partials[2u * i], partials[2u * i + 1u]);
    }
    let rms = sqrt(workgroup_sum(own, local) / f32(LEN));
    let factor = max(rms.y, EPSILON2) / max(rms.x, 1.0);
    if (control[1] != 0.0) {
        return;
    }
    for (var i = group * CHUNK + local; i < min((group + 1u) * CHUNK, LEN); i += WORKGROUP_X) {
        let p = parameters[i];
        parameters[i] = p - step.learning_rate * (factor * direction(i, total) + WEIGHT_DECAY * p);
    }
}
