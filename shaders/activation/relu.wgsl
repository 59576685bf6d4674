// ReLU: max(x, 0) (Nair & Hinton 2010). The slope at 0 is 0.

fn act(x: vec4f) -> vec4f {
    return select(x, vec4f(), x <= vec4f());
}

fn act_grad(x: vec4f) -> vec4f {
    return select(vec4f(1.0), vec4f(), x <= vec4f());
}
