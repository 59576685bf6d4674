// U = G / √V, with V factored or whole.

//#if FACTORED
// 1ᵀ R
fn total_of_rows(local: u32) -> f32 {
    var own = 0.0;
    for (var i = local; i < ROWS; i += WORKGROUP_X) {
        own += row[i];
    }
    return workgroup_sum(vec2f(own, 0.0), local).x;
}
//#else
fn total_of_rows(local: u32) -> f32 {
    return 1.0;
}
//#end

// No product of two small factors is formed: it might vanish.
fn direction(i: u32, total: f32) -> f32 {
//#if FACTORED
    return gradients[i] * control[0] / (sqrt(row[i / COLUMNS] / total) * sqrt(column[i % COLUMNS]));
//#else
    return gradients[i] * control[0] / sqrt(v[i]);
//#end
}
