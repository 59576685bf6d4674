// GELU: x · Φ(x) (Hendrycks & Gimpel 2016), with Φ(x) = erfc(−x / √2) / 2.
// WGSL has no erfc: Abramowitz & Stegun 1964, 7.1.26, whose error is below 1.5e-7 everywhere and dies away with e^−x².

fn normal_density(x: vec4f) -> vec4f {
    return 0.3989422804 * exp(max(-0.5 * x * x, vec4f(-80.0)));
}

// Φ(x)
fn normal_share(x: vec4f) -> vec4f {
    let t = 1.0 / (1.0 + 0.3275911 * 0.7071067812 * abs(x));
    let p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    let tail = 0.5 * p * exp(max(-0.5 * x * x, vec4f(-80.0)));
    return select(1.0 - tail, tail, x < vec4f());
}

fn act(x: vec4f) -> vec4f {
    return x * normal_share(x);
}

fn act_grad(x: vec4f) -> vec4f {
    return normal_share(x) + x * normal_density(x);
}
