// The logistic function, 1 / (1 + e⁻ˣ), the gate of GLU (Dauphin et al. 2017).
// The argument is clamped: beyond ±80 the exponential nears the ends of f32.

fn act(x: vec4f) -> vec4f {
    return 1.0 / (1.0 + exp(-clamp(x, vec4f(-80.0), vec4f(80.0))));
}

fn act_grad(x: vec4f) -> vec4f {
    let share = act(x);
    return share * (1.0 - share);
}
