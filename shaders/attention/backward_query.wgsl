// dQ_i = Σ_j dS_ij K_j with dS = P (dO Vᵀ − δ) / √D, P = exp(Q Kᵀ / √D − log_sum), δ_i = Σ_d dO_id O_id.
// One invocation a query row.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let index = linear(id, workgroups, WORKGROUP_X);
    if (index >= ROWS) {
        return;
    }
    let row = locate(index);
    let i = row.position;
    var delta_i = 0.0;
//#for d in HEAD4
    let q_$d = qkv[query_at(row, i) + $du];
    let do_$d = dout[out_at(row, i) + $du];
    var dq_$d = vec4f();
    delta_i += dot(do_$d, out[out_at(row, i) + $du]);
//#end
    delta[index] = delta_i;
    let log_sum_i = log_sum[index];

    for (var j = 0u; j <= i; j++) {
        let k = key_at(row, j);
        let v = value_at(row, j);
        var s = 0.0;
        var dp = 0.0;
//#for d in HEAD4
        let k_$d = qkv[k + $du];
        s += dot(q_$d, k_$d);
        dp += dot(do_$d, qkv[v + $du]);
//#end
        let p = exp(s * SCALE - log_sum_i);
        let ds = p * (dp - delta_i) * SCALE;
//#for d in HEAD4
        dq_$d += ds * k_$d;
//#end
    }

//#for d in HEAD4
    dqkv[query_at(row, i) + $du] = dq_$d;
//#end
}
