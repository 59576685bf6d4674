// O = softmax(Q Kᵀ / √D) V over the keys j ≤ i, with an online softmax. One invocation a query row, KEYS keys at a
// time; neighbouring invocations read the same keys, so the cache serves all but the first.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let index = linear(id, workgroups, WORKGROUP_X);
    if (index >= ROWS) {
        return;
    }
    let row = locate(index);
    let i = row.position;
//#for d in HEAD4
    let q_$d = qkv[query_at(row, i) + $du] * SCALE;
    var o_$d = vec4f();
//#end
    var max_score = -3.0e38;
    var sum = 0.0;

    for (var j = 0u; j <= i; j += KEYS) {
//#for n in KEYS
        // Keys beyond the row's own are read in bounds and weighted zero.
        let k_$n = key_at(row, min(j + $nu, i));
        let v_$n = value_at(row, min(j + $nu, i));
        var s_$n = 0.0;
//#for d in HEAD4
        s_$n += dot(q_$d, qkv[k_$n + $du]);
//#end
        s_$n = select(-3.0e38, s_$n, j + $nu <= i);
//#end
        var new_max = max_score;
//#for n in KEYS
        new_max = max(new_max, s_$n);
//#end
        let fade = exp(max_score - new_max);
        sum *= fade;
//#for n in KEYS
        let p_$n = exp(s_$n - new_max);
        sum += p_$n;
//#end
//#for d in HEAD4
        o_$d *= fade;
//#for n in KEYS
        o_$d += p_$n * qkv[v_$n + $du];
//#end
//#end
        max_score = new_max;
    }

//#for d in HEAD4
    out[out_at(row, i) + $du] = o_$d / sum;
//#end
    log_sum[index] = max_score + log(sum);
}
