// O = softmax(Q Kᵀ / √D) V over the keys j ≤ i, with an online softmax, KEYS keys at a time. An invocation owns EACH
// query rows; neighbouring invocations read the same keys, so the cache serves all but the first.

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
//#for d in HEAD4
    let q_$r_$d = qkv[query_at(rows, i_$r) + $du] * SCALE;
    var o_$r_$d = vec4f();
//#end
    var max_$r = -3.0e38;
    var sum_$r = 0.0;
//#end
    let last = min(rows.position + EACH, CONTEXT) - 1u;

//#if DOCUMENTS
//#for r in EACH
    let first_$r = first_keys[first_key_at(rows, i_$r)];
//#end
    // From a multiple of KEYS on, so that the order of sums does not depend on how many rows go together.
    let begin = first_0 / KEYS * KEYS;
//#else
    let begin = 0u;
//#end
    for (var j = begin; j <= last; j += KEYS) {
//#for n in KEYS
        // Keys beyond a row's own are read in bounds and weighted zero.
        let k_$n = key_at(rows, min(j + $nu, last));
        let v_$n = value_at(rows, min(j + $nu, last));
//#for r in EACH
        var s_$r_$n = 0.0;
//#end
//#for d in HEAD4
        let k_$n_$d = qkv[k_$n + $du];
//#for r in EACH
        s_$r_$n += dot(q_$r_$d, k_$n_$d);
//#end
//#end
//#end
//#for r in EACH
        var new_$r = max_$r;
//#for n in KEYS
//#if DOCUMENTS
        // A row's own document begins later: what it gathers before that fades to nothing.
        let seen_$r_$n = j + $nu <= i_$r && j + $nu >= first_$r;
//#else
        let seen_$r_$n = j + $nu <= i_$r;
//#end
        s_$r_$n = select(-3.0e38, s_$r_$n + score_bias(slope, i_$r, j + $nu), seen_$r_$n);
        new_$r = max(new_$r, s_$r_$n);
//#end
        let fade_$r = exp(max_$r - new_$r);
        max_$r = new_$r;
        sum_$r *= fade_$r;
//#for n in KEYS
        let p_$r_$n = exp(s_$r_$n - new_$r);
        sum_$r += p_$r_$n;
//#end
//#for d in HEAD4
        o_$r_$d *= fade_$r;
//#end
//#end
//#for d in HEAD4
//#for n in KEYS
        let v_$n_$d = qkv[v_$n + $du];
//#for r in EACH
        o_$r_$d += p_$r_$n * v_$n_$d;
//#end
//#end
//#end
    }

//#for r in EACH
    if (rows.position + $ru < CONTEXT) {
//#for d in HEAD4
        out[out_at(rows, i_$r) + $du] = o_$r_$d / sum_$r;
//#end
        log_sum[rows.first + i_$r] = max_$r + log(sum_$r);
    }
//#end
}
