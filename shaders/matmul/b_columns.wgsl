// B is stored (N, K). A 4×4 block of B: element [i][j] is B(k + i, n + j).
fn block_b(k: u32, n: u32) -> mat4x4f {
    return transpose(mat4x4f(load_b(n, k), load_b(n + 1u, k), load_b(n + 2u, k), load_b(n + 3u, k)));
}
