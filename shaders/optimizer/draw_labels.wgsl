// labels[b, t + 1] is drawn from softmax(logits[b·T + t]): the token whose logit is largest once noise of Gumbel's
// distribution is added. Of equal ones the last.

fn mix(bits: u32) -> u32 {
    var x = bits;
    x = (x ^ (x >> 16u)) * 0x7feb352du;
    x = (x ^ (x >> 15u)) * 0x846ca68bu;
    return x ^ (x >> 16u);
}

fn scramble(x: u32, y: u32) -> u32 {
    return mix(mix(x) + y);
}

// −log(1 − w) for w uniform in (0, 1). Near 1, where the largest noise comes from, logarithms of GPUs are coarse.
fn exponential(bits: u32) -> f32 {
    let w = (f32(bits >> 9u) + 0.5) / 8388608.0;
    let series = w * (1.0 + w * (0.5 + w * (1.0 / 3.0 + w * (0.25 + w * 0.2))));
    return select(-log(1.0 - w), series, w < 0.05);
}

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let row = row_of(group, groups, local);
    if (row >= ROWS) {
        return;
    }
    let batch_row = row + FIRST_ROW;
    let of_row = scramble(step.seed, step.first_row + batch_row);

    var own_best = -3.0e38;
    var own_label = -1.0;
    for (var v = first_column(local); v < VOCABULARY; v += STRIDE) {
        var logit = logits[row * VOCABULARY + v];
//#if SOFT_CAP
        logit = soft_cap(logit);
//#end
        let noisy = logit - log(exponential(scramble(of_row, v)));
        if (noisy >= own_best) {
            own_best = noisy;
            own_label = f32(v);
        }
    }
    let best = row_max(own_best, local);
    let label = row_max(select(-1.0, own_label, own_best == best), local);
    if (first_column(local) == 0u) {
        labels[batch_row / CONTEXT * (CONTEXT + 1u) + batch_row % CONTEXT + 1u] = u32(max(label, 0.0));
    }
}
