// losses[r] = log Σ_v exp(logits[r, v]) − logits[r, target]; with GRADIENT the logits then become
// (softmax − onehot(target)) · SCALE.

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
        own_max = max(own_max, logits[base + v]);
    }
    let largest = row_max(own_max, local);
    var own_sum = 0.0;
    for (var v = first_column(local); v < VOCABULARY; v += STRIDE) {
        own_sum += exp(logits[base + v] - largest);
    }
    let log_sum = largest + log(row_sum(vec2f(own_sum, 0.0), local).x);

    if (first_column(local) == 0u) {
        let loss = log_sum - logits[base + target_token];
//#if ACCUMULATE
        losses[row] += loss;
//#else
        losses[row] = loss;
//#end
    }
//#if GRADIENT
    // The loss above reads a logit that another invocation is about to replace.
    row_barrier();
    for (var v = first_column(local); v < VOCABULARY; v += STRIDE) {
        let p = exp(logits[base + v] - log_sum);
        logits[base + v] = SCALE * (p - select(0.0, 1.0, v == target_token));
    }
//#end
}
