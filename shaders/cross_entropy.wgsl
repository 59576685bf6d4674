// losses[r] = log Σ_v exp(logits[r, v]) − logits[r, target]; with GRADIENT the logits then become
// (softmax − onehot(target)) · SCALE. One workgroup a row.

var<workgroup> slots: array<f32, WORKGROUP_X>;

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let row = linear(group, groups, 1u);
    if (row >= ROWS) {
        return;
    }
    let base = row * VOCABULARY;
    let batch_row = row + FIRST_ROW;
    let target_token = tokens[batch_row / CONTEXT * (CONTEXT + 1u) + batch_row % CONTEXT + 1u];

    var own_max = -3.0e38;
    for (var v = local; v < VOCABULARY; v += WORKGROUP_X) {
        own_max = max(own_max, logits[base + v]);
    }
    slots[local] = own_max;
    for (var half = WORKGROUP_X / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local < half) {
            slots[local] = max(slots[local], slots[local + half]);
        }
    }
    workgroupBarrier();
    let row_max = slots[0];
    workgroupBarrier();

    var own_sum = 0.0;
    for (var v = local; v < VOCABULARY; v += WORKGROUP_X) {
        own_sum += exp(logits[base + v] - row_max);
    }
    slots[local] = own_sum;
    for (var half = WORKGROUP_X / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local < half) {
            slots[local] += slots[local + half];
        }
    }
    workgroupBarrier();
    let log_sum = row_max + log(slots[0]);

    if (local == 0u) {
        let loss = log_sum - logits[base + target_token];
//#if ACCUMULATE
        losses[row] += loss;
//#else
        losses[row] = loss;
//#end
    }
//#if GRADIENT
    // The loss above reads a logit that another invocation is about to replace.
    storageBarrier();
    workgroupBarrier();
    for (var v = local; v < VOCABULARY; v += WORKGROUP_X) {
        let p = exp(logits[base + v] - log_sum);
        logits[base + v] = SCALE * (p - select(0.0, 1.0, v == target_token));
    }
//#end
}
