// dQ_i = Σ_j dS_ij K_j with dS = P (dO Vᵀ − δ) / √D, P = exp(Q Kᵀ / √D + bias − log_sum), δ_i = Σ_d dO_id O_id.
// An invocation owns EACH query rows.

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
    var delta_$r = 0.0;
//#for d in HEAD4
    let q_$r_$d = qkv[query_at(rows, i_$r) + $du];
    let do_$r_$d = dout[out_at(rows, i_$r) + $du];
    var dq_$r_$d = vec4f();
    delta_$r += dot(do_$r_$d, out[out_at(rows, i_$r) + $du]);
//#end
    let log_sum_$r = log_sum[rows.first + i_$r];
//#end
    let last = min(rows.position + EACH, CONTEXT) - 1u;

//#if DOCUMENTS
//#for r in EACH
    let first_$r = first_keys[first_key_at(rows, i_$r)];
//#end
    let begin = first_0;
//#else
    let begin = 0u;
//#end
    for (var j = begin; j <= last; j++) {
        let k = key_at(rows, j);
        let v = value_at(rows, j);
//#for r in EACH
        var s_$r = 0.0;
        var dp_$r = 0.0;
//#end
//#for d in HEAD4
        let k_$d = qkv[k + $du];
        let v_$d = qkv[v + $du];
//#for r in EACH
        s_$r += dot(q_$r_$d, k_$d);
        dp_$r += dot(do_$r_$d, v_$d);
//#end
//#end
//#for r in EACH
//#if DOCUMENTS
        let seen_$r = j <= i_$r && j >= first_$r;
//#else
        let seen_$r = j <= i_$r;
//#end
        let p_$r = select(0.0, exp(s_$r * SCALE + score_bias(slope, i_$r, j) - log_sum_$r), seen_$r);
        let ds_$r = p_$r * (dp_$r - delta_$r) * SCALE;
//#for d in HEAD4
        dq_$r_$d += ds_$r * k_$d;
//#end
//#end
    }

//#for r in EACH
    if (rows.position + $ru < CONTEXT) {
//#for d in HEAD4
        dqkv[query_at(rows, i_$r) + $du] = dq_$r_$d;
//#end
        delta[rows.first + i_$r] = delta_$r;
    }
//#end
}
