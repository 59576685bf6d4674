// dx = r · (g − mean(g) − x̂ · mean(g · x̂)) with g = dy · weight, x̂ = (x − μ) r; RMSNorm without mean(g).
// One workgroup a group of rows; an invocation owns every WORKGROUP_X-th column and keeps its share of the
// weight's (and bias's) gradient in registers.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let group = linear(group_id, groups, 1u);
    if (group >= GROUPS) {
        return;
    }
//#for i in COLUMNS
    var dw_$i = 0.0;
    var db_$i = 0.0;
//#end

    let end = min((group + 1u) * ROWS_PER_GROUP, ROWS);
    for (var row = group * ROWS_PER_GROUP; row < end; row++) {
        let base = row * WIDTH;
        let mean = moments[row * 2u];
        let r = moments[row * 2u + 1u];
        var sums = vec2f(); // (Σ g, Σ g · x̂)
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
        let means = workgroup_sum(sums, local) / f32(WIDTH);
        for (var c = local; c < WIDTH; c += WORKGROUP_X) {
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

    // The padding of a share is zero: it is summed into the padding of the gradient arena.
//#for i in COLUMNS
    shares[group * SHARE + local + $iu * WORKGROUP_X] = dw_$i;
//#if LAYER_NORM
    shares[group * SHARE + BIAS_AT + local + $iu * WORKGROUP_X] = db_$i;
//#end
//#end
}
