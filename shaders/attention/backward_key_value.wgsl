// dK_j = Σ_i dS_ij Q_i and dV_j = Σ_i P_ij dO_i over the queries i ≥ j, with dS = P (dO Vᵀ − δ) / √D.
// One invocation a key row.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let index = linear(id, workgroups, WORKGROUP_X);
    if (index >= ROWS) {
        return;
    }
    let row = locate(index);
    let j = row.position;
    // Of position 0 of this head of this sequence, in (B, H, T).
    let first = index - j;
//#for d in HEAD4
    let k_$d = qkv[key_at(row, j) + $du];
    let v_$d = qkv[value_at(row, j) + $du];
    var dk_$d = vec4f();
    var dv_$d = vec4f();
//#end

    for (var i = j; i < CONTEXT; i++) {
        let q = query_at(row, i);
        let o = out_at(row, i);
        var s = 0.0;
        var dp = 0.0;
//#for d in HEAD4
        let q_$d = qkv[q + $du];
        let do_$d = dout[o + $du];
        s += dot(q_$d, k_$d);
        dp += dot(do_$d, v_$d);
//#end
        let p = exp(s * SCALE - log_sum[first + i]);
        let ds = p * (dp - delta[first + i]) * SCALE;
//#for d in HEAD4
        dk_$d += ds * q_$d;
        dv_$d += p * do_$d;
//#end
    }

//#for d in HEAD4
    dqkv[key_at(row, j) + $du] = dk_$d;
    dqkv[value_at(row, j) + $du] = dv_$d;
//#end
}
