// RoPE (Su et al. 2021, arXiv 2104.09864): channels d and d + D/2 of a head are turned together, by the angle of `turns`
// (T, D: cos, then sin, of the D/2 angles). A pair has four channels of the one half and the four of the other.

fn rotate(pair: mat2x4f, position: u32, d: u32) -> mat2x4f {
    let cosine = turns[position * HEAD4 + d];
    let sine = turns[position * HEAD4 + HALF4 + d];
    return mat2x4f(pair[0] * cosine - pair[1] * sine, pair[1] * cosine + pair[0] * sine);
}

fn unrotate(pair: mat2x4f, position: u32, d: u32) -> mat2x4f {
    let cosine = turns[position * HEAD4 + d];
    let sine = turns[position * HEAD4 + HALF4 + d];
    return mat2x4f(pair[0] * cosine + pair[1] * sine, pair[1] * cosine - pair[0] * sine);
}
