// Which elements dropout keeps: a counter-based hash, the same bits as in `kernels::dropout`.

fn scramble(bits: u32) -> u32 {
    var b = bits;
    b = (b ^ (b >> 16u)) * 0x85ebca6bu;
    b = (b ^ (b >> 13u)) * 0xc2b2ae35u;
    return b ^ (b >> 16u);
}

fn hashed(hash: u32, counter: u32) -> u32 {
    return scramble(hash ^ (counter * 0x9e3779b9u));
}

// Four neighbours of a row, from `column` on; `row` is one of the micro-batch.
fn drop(v: vec4f, row: u32, column: u32) -> vec4f {
    let of_row = hashed(hashed(step.noise, sizes.DROPOUT_SITE), step.first_row + row);
    let kept = vec4<bool>(
        hashed(of_row, column) >= DROPOUT_THRESHOLD,
        hashed(of_row, column + 1u) >= DROPOUT_THRESHOLD,
        hashed(of_row, column + 2u) >= DROPOUT_THRESHOLD,
        hashed(of_row, column + 3u) >= DROPOUT_THRESHOLD,
    );
    return select(vec4f(), v * DROPOUT_SCALE, kept);
}
