// RoPE (Su et al. 2021, arXiv 2104.09864): channels d and d + D/2 of a head are turned together, by the angle of `turns`
// (T, D: cos, then sin, of the D/2 angles), four pairs at a time.

fn rotate(x: ptr<function, array<vec4f, HEAD4>>, position: u32) {
    for (var d = 0u; d < HALF4; d++) {
        let cosine = turns[position * HEAD4 + d];
        let sine = turns[position * HEAD4 + HALF4 + d];
        let a = (*x)[d];
        let b = (*x)[d + HALF4];
        (*x)[d] = a * cosine - b * sine;
        (*x)[d + HALF4] = b * cosine + a * sine;
    }
}

fn unrotate(x: ptr<function, array<vec4f, HEAD4>>, position: u32) {
    for (var d = 0u; d < HALF4; d++) {
        let cosine = turns[position * HEAD4 + d];
        let sine = turns[position * HEAD4 + HALF4 + d];
        let a = (*x)[d];
        let b = (*x)[d + HALF4];
        (*x)[d] = a * cosine + b * sine;
        (*x)[d + HALF4] = b * cosine - a * sine;
    }
}
