// partials = Σ U² and Σ θ² over a chunk of a tensor, one workgroup a chunk; V, where it is whole, is updated first.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let group = linear(group_id, groups, 1u);
    if (group >= CHUNKS) {
        return;
    }
    let total = total_of_rows(local);
    var own = vec2f();
    if (control[1] == 0.0) {
        for (var i = group * CHUNK + local; i < min((group + 1u) * CHUNK, LEN); i += WORKGROUP_X) {
//#if FACTORED
//#else
            let g = gradients[i] * control[0];
            v[i] = (1.0 - step.correction2) * v[i] + step.correction2 * (g * g + EPSILON1);
//#end
            let u = direction(i, total);
            own += vec2f(u * u, parameters[i] * parameters[i]);
        }
    }
    let sums = workgroup_sum(own, local);
    if (local == 0u && control[1] == 0.0) {
        partials[2u * group] = sums.x;
        partials[2u * group + 1u] = sums.y;
    }
}
