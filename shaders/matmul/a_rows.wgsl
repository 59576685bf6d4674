// A is stored (M, K). A 4×4 block of A: element [i][j] is A(m + i, k + j).
fn block_a(m: u32, k: u32) -> mat4x4f {
    return mat4x4f(load_a(m, k), load_a(m + 1u, k), load_a(m + 2u, k), load_a(m + 3u, k));
}
