// dK_j = Σ_i dS_ij Q_i and dV_j = Σ_i P_ij dO_i over the queries i ≥ j, with dS = P (dO Vᵀ − δ) / √D.
// An invocation owns EACH key rows, and sums over the SERVED heads of queries that share them, one after the other.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let index = linear(id, workgroups, WORKGROUP_X);
    if (index >= INVOCATIONS) {
        return;
    }
    var rows = locate(index);
//#for r in EACH
    let j_$r = min(rows.position + $ru, CONTEXT - 1u);
//#for d in HEAD4
    let k_$r_$d = qkv[key_at(rows, j_$r) + $du];
    let v_$r_$d = qkv[value_at(rows, j_$r) + $du];
    var dk_$r_$d = vec4f();
    var dv_$r_$d = vec4f();
//#end
//#end

    for (var served = 0u; served < SERVED; served++) {
        let slope = slope_of(rows.head);
        for (var i = rows.position; i < CONTEXT; i++) {
//#if DOCUMENTS
            // First keys never go back: no query from here on sees these.
            let first = first_keys[first_key_at(rows, i)];
            if (first >= rows.position + EACH) {
                break;
            }
//#end
            let q = query_at(rows, i);
            let o = out_at(rows, i);
//#for r in EACH
            var s_$r = 0.0;
            var dp_$r = 0.0;
//#end
//#for d in HEAD4
            let q_$d = qkv[q + $du];
            let do_$d = dout[o + $du];
//#for r in EACH
            s_$r += dot(q_$d, k_$r_$d);
            dp_$r += dot(do_$d, v_$r_$d);
//#end
//#end
            let log_sum_i = log_sum[rows.first + i];
            let delta_i = delta[rows.first + i];
//#for r in EACH
//#if DOCUMENTS
            let seen_$r = i >= j_$r && first <= j_$r;
//#else
            let seen_$r = i >= j_$r;
//#end
            let p_$r = select(0.0, exp(s_$r * SCALE + score_bias(slope, i, j_$r) - log_sum_i), seen_$r);
            let ds_$r = p_$r * (dp_$r - delta_i) * SCALE;
//#for d in HEAD4
            dk_$r_$d += ds_$r * q_$d;
            dv_$r_$d += p_$r * do_$d;
//#end
//#end
        }
        rows = next_head(rows);
    }

//#for r in EACH
    if (rows.position + $ru < CONTEXT) {
//#for d in HEAD4
        dqkv[key_at(rows, j_$r) + $du] = dk_$r_$d;
        dqkv[value_at(rows, j_$r) + $du] = dv_$r_$d;
//#end
    }
//#end
}
