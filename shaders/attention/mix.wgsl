// O = P V, with the stored P. An invocation owns EACH query rows.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let index = linear(id, workgroups, WORKGROUP_X);
    if (index >= INVOCATIONS) {
        return;
    }
    let rows = locate(index);
//#for r in EACH
    let i_$r = min(rows.position + $ru, CONTEXT - 1u);
    let row_$r = (rows.first + i_$r) * CONTEXT;
//#for d in HEAD4
    var o_$r_$d = vec4f();
//#end
//#end
    let last = min(rows.position + EACH, CONTEXT) - 1u;

    for (var j = 0u; j <= last; j++) {
        let v = value_at(rows, j);
//#for r in EACH
        // Beyond a row's own keys, zeros.
        let p_$r = weights[row_$r + j];
//#end
//#for d in HEAD4
        let v_$d = qkv[v + $du];
//#for r in EACH
        o_$r_$d += p_$r * v_$d;
//#end
//#end
    }

//#for r in EACH
    if (rows.position + $ru < CONTEXT) {
//#for d in HEAD4
        out[out_at(rows, i_$r) + $du] = o_$r_$d;
//#end
    }
//#end
}
