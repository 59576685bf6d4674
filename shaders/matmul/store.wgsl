// The end of a product: four neighbours of a row of C are finished and stored.

//#if C_VEC4
fn store(row: u32, column: u32, sum: vec4f) {
    if (row >= sizes.M || column >= sizes.N) {
        return;
    }
    let at = (row * sizes.N + column) / 4u;
    var v = sum;
//#if ACCUMULATE
    v += c[at];
//#end
//#if BIAS
    v += vec4f(bias[column], bias[column + 1u], bias[column + 2u], bias[column + 3u]);
//#end
//#if ACT_FORWARD
    pre[at] = v;
//#if GATED
    v *= act(gate[at]);
//#else
    v = act(v);
//#end
//#end
//#if ACT_BACKWARD
//#if GATED
    dgate[at] = v * pre[at] * act_grad(gate[at]);
    v *= act(gate[at]);
//#else
    v *= act_grad(pre[at]);
//#end
//#end
//#if DROPOUT
    v = drop(v, row, column);
//#end
//#if RESIDUAL
    v += residual[at];
//#end
    c[at] = v;
}
//#else
fn store(row: u32, column: u32, sum: vec4f) {
    for (var i = 0u; i < 4u; i++) {
        store_one(row, column + i, sum[i]);
    }
}

fn store_one(row: u32, column: u32, sum: f32) {
    if (row >= sizes.M || column >= sizes.N) {
        return;
    }
    let at = row * sizes.N + column;
    var v = sum;
//#if ACCUMULATE
    v += c[at];
//#end
//#if BIAS
    v += bias[column];
//#end
//#if ACT_FORWARD
    pre[at] = v;
//#if GATED
    v *= act(vec4f(gate[at])).x;
//#else
    v = act(vec4f(v)).x;
//#end
//#end
//#if ACT_BACKWARD
//#if GATED
    dgate[at] = v * pre[at] * act_grad(vec4f(gate[at])).x;
    v *= act(vec4f(gate[at])).x;
//#else
    v *= act_grad(vec4f(pre[at])).x;
//#end
//#end
//#if DROPOUT
    v = drop(vec4f(v), row, column).x;
//#end
//#if RESIDUAL
    v += residual[at];
//#end
    c[at] = v;
}
//#end

//#if SUMS
// The sum of a row of A, the gradient of a bias.
fn store_sum(row: u32, sum: vec4f) {
    if (row >= sizes.M) {
        return;
    }
    let v = dot(sum, vec4f(1.0));
//#if ACCUMULATE
    sums[row] += v;
//#else
    sums[row] = v;
//#end
}
//#end
