// row[i] ← β₂ₜ row[i] + (1 − β₂ₜ) Σ_j (g² + ε₁)

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let i = row_of(group, groups, local);
    if (i >= ROWS) {
        return;
    }
    var own = 0.0;
    for (var j = first_column(local); j < COLUMNS; j += STRIDE) {
        let g = gradients[i * COLUMNS + j] * control[0];
        own += g * g + EPSILON1;
    }
    let sum = row_sum(vec2f(own, 0.0), local).x;
    if (first_column(local) == 0u && control[1] == 0.0) {
        row[i] = (1.0 - step.correction2) * row[i] + step.correction2 * sum;
    }
}
