// SiLU, or Swish: x / (1 + e⁻ˣ) (Ramachandran et al. 2017).
// The argument of the exponential is clamped: beyond ±80 it nears the ends of f32.

fn sigmoid(x: vec4f) -> vec4f {
    return 1.0 / (1.0 + exp(-clamp(x, vec4f(-80.0), vec4f(80.0))));
}

fn act(x: vec4f) -> vec4f {
    return x * sigmoid(x);
}

fn act_grad(x: vec4f) -> vec4f {
    let share = sigmoid(x);
    return share * (1.0 + x * (1.0 - share));
}
