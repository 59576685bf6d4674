// GELU: x · Φ(x) (Hendrycks & Gimpel 2016), with Φ(x) = erfc(−x / √2) / 2.
// WGSL has no erfc: Abramowitz & Stegun 1964, 7.1.26, whose error is below 1.5e-7 everywhere and dies away with e^−x².

// e^(−x²/2)
fn gaussian(x: vec4f) -> vec4f {
    return exp(max(-0.5 * x * x, vec4f(-80.0)));
}

// Φ(x), with the gaussian of x
fn normal(x: vec4f, gaussian: vec4f) -> vec4f {
    let t = 1.0 / (1.0 + 0.3275911 * 0.7071067812 * abs(x));
    let p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    let tail = 0.5 * p * gaussian;
    return select(1.0 - tail, tail, x < vec4f());
}

fn act(x: vec4f) -> vec4f {
    return x * normal(x, gaussian(x));
}

fn act_grad(x: vec4f) -> vec4f {
    let density = gaussian(x);
    return normal(x, density) + 0.3989422804 * x * density;
}
