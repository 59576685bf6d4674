// Lion: the update of four parameters, see kernels/optimizer/lion.rs.
fn update(i: u32, p: vec4f, g: vec4f, decay: f32) -> vec4f {
    let old_m = m[i];
    m[i] = BETA2 * old_m + REST2 * g;
    return p - step.learning_rate * (sign(BETA1 * old_m + REST1 * g) + decay * p);
}
