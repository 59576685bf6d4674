// GELU by its tanh approximation (Hendrycks & Gimpel 2016): x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).
// The argument of tanh is clamped: beyond ±10 it is ±1 in f32, and some drivers overflow there.

fn tanh_of_cubic(x: vec4f) -> vec4f {
    let inner = 0.7978845608 * (x + 0.044715 * x * x * x);
    return tanh(clamp(inner, vec4f(-10.0), vec4f(10.0)));
}

fn act(x: vec4f) -> vec4f {
    return 0.5 * x * (1.0 + tanh_of_cubic(x));
}

fn act_grad(x: vec4f) -> vec4f {
    let t = tanh_of_cubic(x);
    let dt = (1.0 - t * t) * 0.7978845608 * (1.0 + 3.0 * 0.044715 * x * x);
    return 0.5 * (1.0 + t) + 0.5 * x * dt;
}
