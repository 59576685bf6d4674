// Sophia-G: the update of four parameters, see kernels/optimizer/sophia.rs.
fn update(i: u32, p: vec4f, g: vec4f, decay: f32) -> vec4f {
    let new_m = BETA1 * m[i] + REST1 * g;
    m[i] = new_m;
    let ratio = min(abs(new_m) / (BOUND * h[i] + 1e-15), vec4f(1.0));
    return p - step.learning_rate * (sign(new_m) * ratio + decay * p);
}
