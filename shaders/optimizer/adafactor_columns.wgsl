// column[j] ← β₂ₜ column[j] + (1 − β₂ₜ) Σ_i (g² + ε₁), a column an invocation.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let j = linear(id, workgroups, WORKGROUP_X);
    if (j >= COLUMNS || control[1] != 0.0) {
        return;
    }
    var sum = 0.0;
    for (var i = 0u; i < ROWS; i++) {
        let g = gradients[i * COLUMNS + j] * control[0];
        sum += g * g + EPSILON1;
    }
    column[j] = (1.0 - step.correction2) * column[j] + step.correction2 * sum;
}
