// Adam: the update of four parameters, see kernels/optimizer/adam.rs.
fn update(i: u32, p: vec4f, gradient: vec4f, decay: f32) -> vec4f {
    let g = gradient + decay * p;
    let new_m = BETA1 * m[i] + REST1 * g;
    let new_v = BETA2 * v[i] + REST2 * g * g;
    m[i] = new_m;
    v[i] = new_v;
    let direction = new_m / step.correction1 / (sqrt(new_v / step.correction2) + EPSILON);
    return p - step.learning_rate * direction;
}
