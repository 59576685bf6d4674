// dx = r · (g − mean(g) − x̂ · mean(g · x̂)) with g = dy · weight, x̂ = (x − μ) r; RMSNorm without mean(g).
// A group of rows at a time. Its share of the weight's (and bias's) gradient stays in registers where a workgroup has
// the group, each invocation with its columns; where one invocation has it, it grows in place.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let group = row_of(group_id, groups, local);
    if (group >= GROUPS) {
        return;
    }
//#if ALONE
    for (var c = 0u; c < SHARE; c++) {
        shares[group * SHARE + c] = 0.0;
    }
//#else
//#for i in COLUMNS
    var dw_$i = 0.0;
    var db_$i = 0.0;
//#end
//#end

    let end = min((group + 1u) * ROWS_PER_GROUP, ROWS);
    for (var row = group * ROWS_PER_GROUP; row < end; row++) {
        let base = row * WIDTH;
        let mean = moments[row * 2u];
        let r = moments[row * 2u + 1u];
        var sums = vec2f(); // (Σ g, Σ g · x̂)
//#if ALONE
        for (var c = 0u; c < WIDTH; c++) {
            let normal = (x[base + c] - mean) * r;
            let dy_c = dy[base + c];
            let g = dy_c * weight[c];
            sums += vec2f(g, g * normal);
            shares[group * SHARE + c] += dy_c * normal;
//#if HAS_BIAS
            shares[group * SHARE + BIAS_AT + c] += dy_c;
//#end
        }
//#else
//#for i in COLUMNS
        if (local + $iu * WORKGROUP_X < WIDTH) {
            let c = local + $iu * WORKGROUP_X;
            let normal = (x[base + c] - mean) * r;
            let g = dy[base + c] * weight[c];
            sums += vec2f(g, g * normal);
            dw_$i += dy[base + c] * normal;
            db_$i += dy[base + c];
        }
//#end
//#end
        let means = row_sum(sums, local) / f32(WIDTH);
        for (var c = first_column(local); c < WIDTH; c += STRIDE) {
            let normal = (x[base + c] - mean) * r;
            var v = dy[base + c] * weight[c] - normal * means.y;
//#if LAYER_NORM
            v -= means.x;
//#end
//#if ACCUMULATE
            dx[base + c] += r * v;
//#else
            dx[base + c] = r * v;
//#end
        }
    }

//#if ALONE
//#else
    // The padding of a share is zero: it is summed into the padding of the gradient arena.
//#for i in COLUMNS
    shares[group * SHARE + local + $iu * WORKGROUP_X] = dw_$i;
//#if HAS_BIAS
    shares[group * SHARE + BIAS_AT + local + $iu * WORKGROUP_X] = db_$i;
//#end
//#end
//#end
}
