// losses[r] = log Z − y[r, target], log Z = log Σ_v exp(y[r, v]), y the logits, capped or not; with GRADIENT the logits
// then become the gradient of SCALE times that, with smoothed targets and z-loss; with MARGINS, margins[r] is by how much
// the likeliest token's y exceeds the target's; with WEIGHTS, a row's own takes the place of SCALE, in its loss too; see `kernels::cross_entropy`.

fn logit(at: u32) -> f32 {
//#if SOFT_CAP
    return soft_cap(logits[at]);
//#else
    return logits[at];
//#end
}

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let row = row_of(group, groups, local);
    if (row >= ROWS) {
        return;
    }
    let base = row * VOCABULARY;
    let batch_row = row + FIRST_ROW;
    let target_token = tokens[batch_row / CONTEXT * (CONTEXT + 1u) + batch_row % CONTEXT + 1u];

    var own_max = -3.0e38;
    for (var v = first_column(local); v < VOCABULARY; v += STRIDE) {
        own_max = max(own_max, logit(base + v));
    }
    let largest = row_max(own_max, local);
    var own_sum = 0.0;
    for (var v = first_column(local); v < VOCABULARY; v += STRIDE) {
        own_sum += exp(logit(base + v) - largest);
    }
    let log_sum = largest + log(row_sum(vec2f(own_sum, 0.0), local).x);

    if (first_column(local) == 0u) {
//#if WEIGHTS
        let loss = weights[row] * (log_sum - logit(base + target_token));
//#else
        let loss = log_sum - logit(base + target_token);
//#end
//#if ACCUMULATE
        losses[row] += loss;
//#else
        losses[row] = loss;
//#end
//#if MARGINS
        margins[row] = largest - logit(base + target_token);
//#end
    }
//#if GRADIENT
    // The loss above reads a logit that another invocation is about to replace.
    row_barrier();
//#if WEIGHTS
    let scale = weights[row];
//#else
    let scale = SCALE;
//#end
    for (var v = first_column(local); v < VOCABULARY; v += STRIDE) {
        let y = logit(base + v);
        var p = exp(y - log_sum);
//#if ADDS_Z_LOSS
        p *= 1.0 + 2.0 * Z_LOSS * log_sum;
//#end
        var gradient = scale * (p - select(OTHER_TARGET, OWN_TARGET, v == target_token));
//#if SOFT_CAP
        gradient *= soft_cap_slope(y);
//#end
        logits[base + v] = gradient;
    }
//#end
}
