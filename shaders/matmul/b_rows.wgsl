// B is stored (K, N). A 4×4 block of B: element [i][j] is B(k + i, n + j).
fn block_b(k: u32, n: u32) -> mat4x4f {
    let zero = vec4f();
    return mat4x4f(
        load_b(k, n),
        select(zero, load_b(k + 1u, n), k + 1u < sizes.K),
        select(zero, load_b(k + 2u, n), k + 2u < sizes.K),
        select(zero, load_b(k + 3u, n), k + 3u < sizes.K),
    );
}
