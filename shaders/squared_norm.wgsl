// partials[g] = Σ x² over a chunk of x, one workgroup a chunk.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let group = linear(group_id, groups, 1u);
    if (group >= PARTIALS) {
        return;
    }
    var squares = vec4f();
    let end = min((group + 1u) * CHUNK4, LEN4);
    for (var i = group * CHUNK4 + local; i < end; i += WORKGROUP_X) {
        squares += x[i] * x[i];
    }
    let sum = workgroup_sum(vec2f(dot(squares, vec4f(1.0)), 0.0), local).x;
    if (local == 0u) {
        partials[group] = sum;
    }
}
