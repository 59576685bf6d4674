// A is stored (K, M). A 4×4 block of A: element [i][j] is A(m + i, k + j).
fn block_a(m: u32, k: u32) -> mat4x4f {
    let zero = vec4f();
    return transpose(mat4x4f(
        load_a(k, m),
        select(zero, load_a(k + 1u, m), k + 1u < sizes.K),
        select(zero, load_a(k + 2u, m), k + 2u < sizes.K),
        select(zero, load_a(k + 3u, m), k + 3u < sizes.K),
    ));
}
