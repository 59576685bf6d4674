// Squared ReLU: max(x, 0)² (So et al. 2021).

fn act(x: vec4f) -> vec4f {
    return select(x * x, vec4f(), x <= vec4f());
}

fn act_grad(x: vec4f) -> vec4f {
    return select(2.0 * x, vec4f(), x <= vec4f());
}
