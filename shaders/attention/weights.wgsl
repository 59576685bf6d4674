// P = softmax(Q Kᵀ / √D + bias) over the keys j ≤ i, stored. An invocation owns EACH query rows: it leaves the scores in
// them, then their exponentials, then what these are of their sum.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let index = linear(id, workgroups, WORKGROUP_X);
    if (index >= INVOCATIONS) {
        return;
    }
    let rows = locate(index);
    let slope = slope_of(rows.head);
//#for r in EACH
    let i_$r = min(rows.position + $ru, CONTEXT - 1u);
    let row_$r = (rows.first + i_$r) * CONTEXT;
//#for d in HEAD4
    let q_$r_$d = qkv[query_at(rows, i_$r) + $du] * SCALE;
//#end
    var max_$r = -3.0e38;
//#end
    let last = min(rows.position + EACH, CONTEXT) - 1u;

    for (var j = 0u; j <= last; j++) {
        let k = key_at(rows, j);
//#for r in EACH
        var s_$r = 0.0;
//#end
//#for d in HEAD4
        let k_$d = qkv[k + $du];
//#for r in EACH
        s_$r += dot(q_$r_$d, k_$d);
//#end
//#end
//#for r in EACH
        if (j <= i_$r) {
            s_$r += score_bias(slope, i_$r, j);
            max_$r = max(max_$r, s_$r);
            weights[row_$r + j] = s_$r;
        }
//#end
    }

//#for r in EACH
    if (rows.position + $ru < CONTEXT) {
        var sum = 0.0;
        for (var j = 0u; j <= i_$r; j++) {
            let p = exp(weights[row_$r + j] - max_$r);
            sum += p;
            weights[row_$r + j] = p;
        }
        for (var j = 0u; j < CONTEXT; j++) {
            weights[row_$r + j] = select(0.0, weights[row_$r + j] / sum, j <= i_$r);
        }
    }
//#end
}
