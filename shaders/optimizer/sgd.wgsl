// SGD: the update of four parameters, see kernels/optimizer/sgd.rs.
fn update(i: u32, p: vec4f, gradient: vec4f, decay: f32) -> vec4f {
    let g = gradient + decay * p;
//#if KEEPS
    let u = MOMENTUM * momentum[i] + g;
    momentum[i] = u;
//#if NESTEROV
    let direction = g + MOMENTUM * u;
//#else
    let direction = u;
//#end
//#else
    let direction = g;
//#end
    return p - step.learning_rate * direction;
}
