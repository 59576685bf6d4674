// Four neighbours along a stored row of A or B, from element `column` of row `row`; zero from `width` on.
// Rows beyond the matrix may hold anything: what is computed from them is never stored.

fn load_a(row: u32, column: u32) -> vec4f {
//#if A_VEC4
    return a[(row * sizes.A_ROW + column) / 4u];
//#else
    let at = row * sizes.A_ROW + column;
    return vec4f(
        a[at],
        select(0.0, a[at + 1u], column + 1u < sizes.A_ROW),
        select(0.0, a[at + 2u], column + 2u < sizes.A_ROW),
        select(0.0, a[at + 3u], column + 3u < sizes.A_ROW),
    );
//#end
}

fn load_b(row: u32, column: u32) -> vec4f {
//#if B_VEC4
    return b[(row * sizes.B_ROW + column) / 4u];
//#else
    let at = row * sizes.B_ROW + column;
    return vec4f(
        b[at],
        select(0.0, b[at + 1u], column + 1u < sizes.B_ROW),
        select(0.0, b[at + 2u], column + 2u < sizes.B_ROW),
        select(0.0, b[at + 3u], column + 3u < sizes.B_ROW),
    );
//#end
}
