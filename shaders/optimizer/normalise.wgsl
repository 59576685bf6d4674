// x = u / (‖u‖ + ε), four neighbours an invocation; each workgroup adds up the parts of ‖u‖².

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    var own = 0.0;
    for (var i = local; i < PARTIALS; i += WORKGROUP_X) {
        own += partials[i];
    }
    let norm = sqrt(workgroup_sum(vec2f(own, 0.0), local).x) + EPSILON;
    let i = linear(id, workgroups, WORKGROUP_X);
    if (i < LEN4) {
        x[i] = u[i] / norm;
    }
}
