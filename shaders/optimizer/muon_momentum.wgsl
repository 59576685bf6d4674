// momentum ← μ momentum + (1 − μ) g and u of a matrix, four neighbours at a time, and Σ u² over a chunk, one workgroup a
// chunk.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let group = linear(group_id, groups, 1u);
    if (group >= CHUNKS) {
        return;
    }
    var squares = vec4f();
    if (control[1] == 0.0) {
        for (var i = group * CHUNK4 + local; i < min((group + 1u) * CHUNK4, LEN4); i += WORKGROUP_X) {
            let g = gradients[FIRST4 + i] * control[0];
            let m = MOMENTUM * momentum[FIRST4 + i] + REST * g;
            momentum[FIRST4 + i] = m;
//#if NESTEROV
            let ahead = REST * g + MOMENTUM * m;
//#else
            let ahead = m;
//#end
            u[i] = ahead;
            squares += ahead * ahead;
        }
    }
    let sum = workgroup_sum(vec2f(dot(squares, vec4f(1.0)), 0.0), local).x;
    if (local == 0u && control[1] == 0.0) {
        partials[group] = sum;
    }
}
